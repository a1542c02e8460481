# refused at start-up: static.no-folder: there is no folder 'statik'
from kingpost import App
from kingpost.staticfiles import Static

app = App()
app.include(Static("/static", "statik"))
