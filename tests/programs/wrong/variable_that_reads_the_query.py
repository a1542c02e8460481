# refused at start-up: extensions.context-input: every page would read page from its own input
from kingpost import App
from kingpost.templates import Template, Templates

app = App()
app.install(Templates("../templates"))


@app.extensions.template_context
def shown_page(page: int) -> int:
    return page


@app.get("/")
def index() -> Template:
    return Template("guests.html", lines=[], guest_count=0)
