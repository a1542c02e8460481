"""Who may not, need not send: what needs no body runs before it is read."""

from __future__ import annotations

from typing import Annotated

from kingpost import App, CallNext, Forbidden, Header, Request, Response, Struct, Unauthorized
from kingpost.http import before_body
from kingpost.middleware import SecurityHeaders

app = App()
app.middleware(SecurityHeaders())


class User(Struct):
    name: str


class Report(Struct):
    lines: list[str]


@app.provide
def user(authorization: Annotated[str | None, Header()] = None) -> User:
    """Names no body: it runs as soon as the head of a request is there."""
    if authorization is None:
        raise Unauthorized("who are you?")
    return User(name=authorization)


@app.middleware
@before_body
async def no_robots(request: Request, call_next: CallNext) -> Response[object]:
    """Takes the request, and promises to leave its body alone."""
    if "bot" in request.headers.get("user-agent", ""):
        raise Forbidden("robots do not report")
    return await call_next(request)


@app.post("/reports", max_body="64 MiB", status=201)
def report(report: Report, user: User) -> dict[str, str | int]:
    return {"from": user.name, "lines": len(report.lines)}
