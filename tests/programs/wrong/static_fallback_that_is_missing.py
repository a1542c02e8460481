# refused at start-up: static.no-fallback: there is no file 'index.html'
from kingpost import App
from kingpost.staticfiles import Static

app = App()
app.include(Static("/", ".", fallback="index.html"))
