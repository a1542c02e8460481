# refused at start-up: templates.no-block: the template 'missing.html' has no block 'rwo'; it has content, title
from kingpost import App
from kingpost.templates import Template, Templates

app = App()
app.install(Templates("../templates"))
app.add_route("/all", lambda: "", name="index")
app.add_route("/about", lambda: "", name="about")


@app.get("/")
def row() -> Template:
    return Template("missing.html#rwo")
