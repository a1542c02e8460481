# refused at start-up: routing.bad-mount: the path '/{tenant}' of a mounted App has parameters, and its handlers do not know them
from kingpost import App

app = App()
app.mount("/{tenant}", App())
