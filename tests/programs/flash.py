"""What there is to say after a redirect: shown once, on the first page that has a place for it."""

from __future__ import annotations

from typing import Any

from kingpost import App, Redirect, Request, Response
from kingpost.signing import SignedCookies
from kingpost.templates import Template, Templates

MESSAGES = "messages"

app = App()
app.install(Templates("templates"))


@app.extensions.template_context
def messages(request: Request, cookies: SignedCookies) -> list[str]:
    found = cookies.get(request, MESSAGES, list[str]) or []
    request.cache[MESSAGES] = found
    return found


@app.after_request
def forget(request: Request, response: Response[Any], cookies: SignedCookies) -> None:
    if request.cache.get(MESSAGES):
        cookies.delete(response, MESSAGES, secure=False)


@app.get("/")
def notes() -> Template:
    return Template("flash.html")


@app.get("/robots.txt")
def robots() -> str:
    return "User-agent: *"


@app.post("/notes")
def add(request: Request, cookies: SignedCookies) -> Redirect:
    answer = Redirect("/")
    cookies.set(answer, MESSAGES, [f"Saved: {request.form()['text']}"], secure=False)
    return answer
