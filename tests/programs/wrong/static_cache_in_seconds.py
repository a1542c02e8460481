# refused by mypy: Argument "cache" to "Static" has incompatible type "int"; expected "CacheControl | None"
from kingpost import App
from kingpost.staticfiles import Static

app = App()
app.include(Static("/static", ".", cache=3600))
