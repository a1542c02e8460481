# refused by mypy: Argument 1 to "install" of "App" has incompatible type "type[Templates]"; expected "Plugin"
from kingpost import App
from kingpost.templates import Templates

app = App()
app.install(Templates)
