"""Everything of the box around one App, in the order that the how-to explains."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kingpost import App, Html, Request, Response
from kingpost.middleware import (
    AccessLog,
    Compression,
    ConditionalGet,
    ContentSecurityPolicy,
    Cors,
    CspReports,
    Csrf,
    Hsts,
    HttpsRedirect,
    RateLimit,
    SecurityHeaders,
    TrustedProxies,
    csp_nonce,
    csrf_token,
)

reports = CspReports()

app = App(
    hosts=["shop.example.org"],
    middleware=[
        TrustedProxies(["127.0.0.0/8", "unix"]),
        AccessLog(except_for=["/health"]),
        HttpsRedirect(hsts=Hsts(max_age=300), except_for=["/health"]),
        SecurityHeaders("pages", hsts=None),
        ContentSecurityPolicy(report_to="/csp-reports"),
        Cors(origins=["https://app.example.org"], credentials=True, paths=["/api"]),
        RateLimit("1000/minute"),
        Csrf(
            "an example is the only place for a key in the source",
            always=True,
            except_for=["/api", "/csp-reports"],
        ),
        Compression(minimum=200),
        ConditionalGet(),
    ],
)
app.add_route("/csp-reports", reports, methods=["POST"], max_body="64 KiB", name="reports")

PAGE = """<!doctype html>
<title>Shop</title>
<script nonce="{nonce}">document.title = "Open"</script>
<form method="post" action="/orders">
<input type="hidden" name="csrf_token" value="{token}">
<input name="item"><button>Order</button>
</form>
"""


@app.get("/")
def home(request: Request) -> Html:
    return Html(PAGE.format(nonce=csp_nonce(request), token=csrf_token(request)))


@app.post("/orders")
def order(request: Request) -> str:
    return f"ordered: {escape(request.form()['item'])}"


@app.get("/api/prices")
def prices() -> dict[str, int]:
    return {f"item {number}": number for number in range(100)}


@app.post("/api/orders", middleware=[RateLimit("2/minute", name="orders")])
def order_by_api(request: Request) -> dict[str, str | None]:
    return {"client": request.client, "scheme": request.scheme}


@app.get("/export")
def export() -> Response[Iterator[str]]:
    return Response(
        (f"{number},{number * number}\n" for number in range(500)), media_type="text/csv"
    )


@app.get("/where")
def where(request: Request) -> str:
    return request.url_for("home", absolute=True)


@app.get("/health")
def health() -> str:
    return "well"
