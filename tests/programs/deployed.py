"""An App that `kingpost check --deploy` has no word about: what a site with pages, behind a proxy, has around it."""

from __future__ import annotations

from kingpost import App, Html, Settings
from kingpost.checks import Health, Metrics
from kingpost.middleware import (
    AccessLog,
    ContentSecurityPolicy,
    HttpsRedirect,
    RateLimit,
    SecurityHeaders,
    TrustedProxies,
)


class ShopSettings(Settings):
    is_closed: bool = False


app = App(
    settings=ShopSettings,
    hosts=["shop.example.org"],
    middleware=[
        TrustedProxies(["127.0.0.1"]),
        AccessLog(except_for=["/livez", "/readyz"]),
        HttpsRedirect(except_for=["/livez", "/readyz"]),
        SecurityHeaders(),
        ContentSecurityPolicy(),
    ],
    plugins=[Health(), Metrics()],
)
app.extensions.silence("deploy.metrics-public", because="the proxy answers /metrics with 404")


@app.extensions.health
def open_for_business(settings: ShopSettings) -> None:
    if settings.is_closed:
        raise OSError("closed")


@app.get("/")
def home() -> Html:
    return Html("<h1>Tea</h1>")


@app.post("/login", middleware=[RateLimit("10/minute", name="login")])
def sign_in(name: str) -> str:
    return f"Hello, {name}"
