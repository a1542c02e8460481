"""One path, several routes: by host, by `Accept`, by a header, by the query, by anything else of the request's head."""

from __future__ import annotations

from kingpost import App, Html, Request
from kingpost.routing import Accepts, HasHeader, HasQuery

app = App()


def from_a_phone(request: Request) -> bool:
    return "Mobile" in request.headers.get("user-agent", "")


@app.get("/todos", when=Accepts("application/json"))
def as_json() -> list[str]:
    return ["milk"]


@app.get("/todos", when=Accepts("text/html"))
def as_page() -> Html:
    return Html("<li>milk</li>")


@app.get("/todos", when=[Accepts("text/html"), HasHeader("HX-Request", "true")])
def as_row() -> Html:
    return Html("milk")


@app.get("/todos", when=HasQuery("format", "csv"))
def as_csv() -> str:
    return "milk\n"


@app.get("/start", hosts=["{tenant}.example.org"])
def of_a_tenant(tenant: str, request: Request) -> dict[str, str]:
    return {
        "tenant": tenant,
        "here": request.url_for("of_a_tenant"),
        "other": request.url_for("of_a_tenant", tenant="zoe"),
    }


@app.get("/start", hosts=["admin.example.org"])
async def of_the_admin() -> str:
    return "admin"


@app.get("/start", when=from_a_phone)
def on_a_phone() -> str:
    return "phone"


@app.get("/start")
def of_everybody_else() -> str:
    return "start"


@app.get("/about", hosts=["admin.example.org"])
def about_admin() -> str:
    return "about admin"


@app.get("/{page}", hosts=["example.org", "{tenant}.example.org"])
def page(page: str, tenant: str | None = None) -> str:
    return f"{page} of {tenant}"


@app.post("/about", hosts=["example.org"])
def change() -> str:
    return "changed"
