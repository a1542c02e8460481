# refused at start-up: routing.bad-version: versioned_by='header', and there is no version
from kingpost import App, Blueprint

app = App()
app.include(Blueprint("todos", prefix="/todos", versioned_by="header"))
