# refused at start-up: answer.not-rendered: it answers with Template, and nothing is installed that renders it
from kingpost import App
from kingpost.templates import Template

app = App()


@app.get("/")
def index() -> Template:
    return Template("index.html")
