"""What is given to browsers and comes back unaltered: a basket in a cookie, a receipt nobody else may open, a link that stops working."""

from __future__ import annotations

from datetime import timedelta

from kingpost import App, Redirect, Request, Response, Struct
from kingpost.http import require_signed_url
from kingpost.signing import EncryptedCookies, KeyRing, SignedCookies, SignedUrls, Signer

app = App()


class Basket(Struct):
    items: list[str]


class Invitation(Signer):
    """A provider of its own type: every handler that names it gets the same purpose and lifetime."""


@app.provide(scope="app")
def invitations(keys: KeyRing) -> Invitation:
    return Invitation(keys, "invitation")


@app.post("/basket/{item}")
def put(item: str, request: Request, cookies: SignedCookies) -> Redirect:
    basket = cookies.get(request, "basket", Basket) or Basket([])
    answer = Redirect("/basket")
    cookies.set(
        answer, "basket", Basket([*basket.items, item]), max_age=timedelta(days=30), secure=False
    )
    return answer


@app.get("/basket")
def basket(request: Request, cookies: SignedCookies) -> Basket:
    return cookies.get(request, "basket", Basket) or Basket([])


@app.delete("/basket")
def empty(cookies: SignedCookies) -> Response[None]:
    answer = Response(status=204)
    cookies.delete(answer, "basket", secure=False)
    return answer


@app.post("/diagnosis/{text}")
def tell(text: str, cookies: EncryptedCookies) -> Response[str]:
    answer = Response("kept")
    cookies.set(answer, "diagnosis", text, secure=False, same_site="strict")
    return answer


@app.get("/diagnosis")
def diagnosis(request: Request, cookies: EncryptedCookies) -> str:
    return cookies.get(request, "diagnosis") or "none"


@app.get("/reports/{name}", before=[require_signed_url])
def report(name: str) -> str:
    return f"the report {name}"


@app.post("/unsubscribe", before=[require_signed_url])
def unsubscribe(user: int) -> str:
    return f"user {user} gets no more mail"


@app.get("/links/{name}")
def link(name: str, request: Request, urls: SignedUrls, absolute: bool = False) -> str:
    return urls.sign(
        request.url_for("report", name=name, absolute=absolute), expires_in=timedelta(hours=1)
    )


@app.get("/links-to-unsubscribe/{user}")
def unsubscribe_link(user: int, request: Request, urls: SignedUrls) -> str:
    return urls.sign(request.url_for("unsubscribe", user=user), method="POST")


@app.get("/invitations/{mail}")
def invite(mail: str, invitations: Invitation) -> str:
    return invitations.sign(mail)


@app.get("/join")
async def join(token: str, invitations: Invitation) -> str:
    return f"welcome, {invitations.verify(token, max_age=timedelta(days=7)).decode()}"
