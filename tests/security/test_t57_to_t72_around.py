"""T57, T58, T66, T67, T69, T71, T72: hosts, proxies, logs, other origins and tokens; each as the peer had it."""

from __future__ import annotations

import logging
import re

import pytest

from kingpost import App, Html, Request, WebSocket
from kingpost.middleware import AccessLog, Cors, Csrf, HttpsRedirect, TrustedProxies, csrf_token
from kingpost.testing import SocketRefused, TestClient


def app_with(*middleware: object, hosts: tuple[str, ...] = ()) -> App:
    app = App(hosts=hosts)
    for each in middleware:
        app.middleware(each)  # type: ignore[type-var]  # an object or a function, as handed over

    @app.route("/", methods=["GET", "POST"], name="home")
    def home(request: Request) -> str:
        return f"{request.client} {request.scheme} {request.host}"

    return app


def test_t57_a_forwarded_host_opens_no_other_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Litestar CVE-2026-25479: only from trusted proxies, and then it is checked."""
    monkeypatch.setenv("KINGPOST_ENV", "production")
    ours, theirs = {"x-forwarded-host": "shop.example"}, {"x-forwarded-host": "evil.example"}
    hosts = ("shop.example",)
    nobody = TestClient(app_with(hosts=hosts), host="evil.example")
    stranger = TestClient(
        app_with(TrustedProxies(["10.0.0.1"], host=True), hosts=hosts), host="evil.example"
    )
    proxy = TestClient(
        app_with(TrustedProxies(["127.0.0.1"], host=True), hosts=hosts), host="inner"
    )

    assert nobody.get("/", headers=ours).status == 400
    assert stranger.get("/", headers=ours).status == 400
    assert proxy.get("/", headers={**ours, "x-forwarded-for": "203.0.113.7"}).status == 200
    assert proxy.get("/", headers={**theirs, "x-forwarded-for": "203.0.113.7"}).status == 400


@pytest.mark.parametrize(
    "name", ["x-forwarded-for", "x_forwarded_for", "forwarded", "x-real-ip", "client-ip"]
)
def test_t58_nobody_says_who_he_is(name: str) -> None:
    """Litestar CVE-2025-59152: a limit that counted by what clients said."""
    value = "for=6.6.6.6" if name == "forwarded" else "6.6.6.6"
    for app in (app_with(), app_with(TrustedProxies(["10.0.0.1"]))):
        response = TestClient(app).get("/", headers={name: value})
        assert response.status == 400 or response.text.startswith("127.0.0.1 ")


@pytest.mark.parametrize("byte", range(256))
def test_t66_no_byte_of_a_path_forges_a_line(byte: int, caplog: pytest.LogCaptureFixture) -> None:
    """uvicorn CVE-2020-7694, Django CVE-2025-48432."""
    caplog.set_level(logging.INFO, "kingpost.access")
    client = TestClient(app_with(AccessLog()))
    for path in (b"/%" + f"{byte:02x}".encode(), b"/" + bytes([byte])):
        client.raw(b"GET " + path + b"forged HTTP/1.1\r\nhost: a\r\nuser-agent: \x1b[2J\r\n\r\n")

    for record in caplog.records:
        assert re.fullmatch(r"[ -~]+", record.getMessage())
        assert record.getMessage().count('"') == 2


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example.evil.example", "https://shopXexample", "https://evil.example#shop.example", "null"],
)  # fmt: skip
def test_t67_origins_are_compared_as_they_stand(origin: str) -> None:
    """Flask-CORS CVE-2024-6221 and others: patterns that matched more."""
    client = TestClient(app_with(Cors(origins=["https://shop.example"], credentials=True)))
    response = client.get("/", headers={"origin": origin})

    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("origin", "opens"),
    [
        ("https://evil.example", False),
        ("https://shop.example.evil.example", False),
        ("https://evil.example/shop.example", False),
        ("null", False),
        ("https://shop.example", True),
    ],
)
@pytest.mark.parametrize("cookies", [{}, {"session": "7f3a"}], ids=["stranger", "visitor"])
def test_t69_a_page_of_another_site_opens_no_websocket(
    origin: str, opens: bool, cookies: dict[str, str]
) -> None:
    """python-engineio CVE-2019-13611: by default, whether a cookie is sent or not."""
    app = App()

    @app.websocket("/live")
    async def live(ws: WebSocket) -> None:
        await ws.send("hello")

    client = TestClient(app, host="shop.example", headers={"origin": origin}, cookies=cookies)
    if opens:
        with client.websocket("/live") as ws:
            assert ws.receive() == "hello"
        return
    with pytest.raises(SocketRefused) as refused, client.websocket("/live"):
        pass
    assert refused.value.response.status == 403


def test_t71_tokens_are_masked_for_each_answer() -> None:
    """Tornado CVE-2014-9720: a token that is always the same is read off the lengths of compressed answers."""
    app = App(middleware=[Csrf("k" * 32)])

    @app.get("/")
    def form(request: Request) -> Html:
        return Html(csrf_token(request))

    client = TestClient(app)
    tokens = {client.get("/").text for _ in range(10)}

    assert len(tokens) == 10
    assert len({token[:6] for token in tokens}) == len({token[-6:] for token in tokens}) == 10


def test_t72_https_is_what_a_trusted_proxy_says() -> None:
    """Django CVE-2019-12781."""
    said = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    stranger = TestClient(app_with(HttpsRedirect()), host="shop.example")
    proxy = TestClient(
        app_with(TrustedProxies(["127.0.0.1"]), HttpsRedirect()), host="shop.example"
    )

    assert stranger.get("/", headers=said).status == 308
    assert proxy.get("/", headers=said).status == 200
