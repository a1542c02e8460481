# refused at start-up: plugins.twice: a plugin called 'templates' is installed already
from kingpost import App
from kingpost.templates import Templates

app = App()
app.install(Templates("../templates"), Templates("../templates"))
