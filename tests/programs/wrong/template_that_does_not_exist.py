# refused at start-up: templates.missing: there is no template 'indx.html'
from kingpost import App
from kingpost.templates import Template, Templates

app = App()
app.install(Templates("../templates"))


@app.get("/")
def index() -> Template:
    return Template("indx.html")
