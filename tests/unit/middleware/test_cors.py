"""Other sites' pages: who may read, who may act, and what caches are told."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost import App, NotFound, Response
from kingpost.errors import ConfigurationError
from kingpost.middleware import Cors
from kingpost.testing import TestClient, TestResponse

OURS = "https://app.example.org"
PREFLIGHT = {"access-control-request-method": "PUT", "access-control-request-headers": "x-a"}
ALLOW = "access-control-allow-origin"


def client(**options: Any) -> TestClient:
    app = App(middleware=[Cors(**options)])

    @app.route("/api/todos", methods=["GET", "POST", "PUT"])
    def todos() -> Response[str]:
        return Response("done", headers={"vary": "accept"})

    @app.get("/api/missing")
    def missing() -> str:
        raise NotFound("no such todo")

    @app.get("/api/broken")
    def broken() -> int:
        return 1 // 0

    @app.get("/apiary")
    def apiary() -> str:
        return "bees"

    return TestClient(app, raise_errors=False)


def cors_fields(response: TestResponse) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers.pairs()
        if name.startswith("access-control") or name == "vary"
    }


def test_an_origin_that_is_named_may_read() -> None:
    response = client(origins=[OURS], expose=["X-Total"]).get(
        "/api/todos", headers={"origin": OURS}
    )

    assert cors_fields(response) == {
        "vary": "accept, origin",
        ALLOW: OURS,
        "access-control-expose-headers": "x-total",
    }


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.org.evil.example",
        "https://evil.example/https://app.example.org",
        "https://evilapp.example.org",
        "https://app.example.org:8443",
        "http://app.example.org",
        "https://APP.example.org",
        "https://app.example.org/",
        "https://appXexample.org",
        "null",
        "",
    ],
)
def test_no_other_origin_may(origin: str) -> None:
    browser = client(origins=[OURS], credentials=True)
    read = browser.get("/api/todos", headers={"origin": origin})
    asked = browser.options("/api/todos", headers={"origin": origin, **PREFLIGHT})

    assert cors_fields(read) == {"vary": "accept, origin"}
    assert asked.status == 403
    assert asked.json()["code"] == "cors.not-allowed"
    assert ALLOW not in asked.headers


def test_the_answer_to_a_request_without_an_origin_depends_on_it_too() -> None:
    """Else a cache gives it to a page that needs the permission."""
    assert cors_fields(client(origins=[OURS]).get("/api/todos")) == {"vary": "accept, origin"}


def test_everybody_may_read_without_credentials() -> None:
    response = client(origins=["*"]).get("/api/todos", headers={"origin": "https://any.example"})

    assert cors_fields(response) == {"vary": "accept", ALLOW: "*"}


@pytest.mark.parametrize(
    ("path", "status"), [("/api/missing", 404), ("/api/broken", 500), ("/api/none", 404)]
)
def test_errors_carry_the_fields(path: str, status: int) -> None:
    response = client(origins=[OURS]).get(path, headers={"origin": OURS})

    assert (response.status, response.headers[ALLOW]) == (status, OURS)


def test_a_preflight_is_answered_with_what_is_allowed() -> None:
    response = client(origins=[OURS], credentials=True, headers=["X-A"], methods=["PUT"]).options(
        "/api/todos", headers={"origin": OURS, **PREFLIGHT}
    )

    assert response.status == 204
    assert cors_fields(response) == {
        ALLOW: OURS,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "x-a",
        "access-control-max-age": "600",
        "vary": "origin, access-control-request-method, access-control-request-headers",
    }


def test_a_preflight_for_an_address_without_a_route_is_one_too() -> None:
    response = client(origins=["*"]).options("/none", headers={"origin": OURS, **PREFLIGHT})

    assert (response.status, response.headers[ALLOW]) == (204, "*")


def test_without_headers_nothing_is_said_of_them() -> None:
    response = client(origins=["*"], headers=[]).options(
        "/none", headers={"origin": OURS, **PREFLIGHT}
    )

    assert "access-control-allow-headers" not in response.headers


def test_what_a_handler_says_of_origins_is_replaced() -> None:
    app = App(middleware=[Cors(origins=[OURS])])

    @app.get("/")
    def home() -> Response[str]:
        return Response("home", headers={ALLOW: "*"})

    response = TestClient(app).get("/", headers={"origin": OURS})

    assert response.headers.get_all(ALLOW) == [OURS]


def test_an_options_request_that_is_no_preflight_is_answered_as_ever() -> None:
    response = client(origins=[OURS]).options("/api/todos", headers={"origin": OURS})

    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST, PUT"
    assert response.headers[ALLOW] == OURS


@pytest.mark.parametrize(("option", "allowed"), [(True, "true"), (False, None)])
def test_private_networks_are_closed_until_opened(option: bool, allowed: str | None) -> None:
    response = client(origins=[OURS], private_network=option).options(
        "/api/todos",
        headers={"origin": OURS, **PREFLIGHT, "access-control-request-private-network": "true"},
    )

    assert response.headers.get("access-control-allow-private-network") == allowed
    assert "access-control-request-private-network" in response.headers["vary"]


def test_paths_are_compared_by_their_segments() -> None:
    browser = client(origins=[OURS], paths=["/api"])

    assert browser.get("/api/todos", headers={"origin": OURS}).headers[ALLOW] == OURS
    for path in ("/apiary", "/API/todos", "//api/todos", "/apiary/../api/todos"):
        assert ALLOW not in browser.get(path, headers={"origin": OURS}).headers
        asked = browser.options(path, headers={"origin": OURS, **PREFLIGHT})
        assert ALLOW not in asked.headers


@pytest.mark.parametrize(
    ("credentials", "origin", "status"),
    [
        (True, OURS, 200),
        (False, OURS, 403),
        (True, "https://evil.example", 403),
        (True, "null", 403),
    ],
)
def test_only_origins_with_credentials_may_change_something_with_cookies(
    credentials: bool, origin: str, status: int
) -> None:
    response = client(origins=[OURS], credentials=credentials).post(
        "/api/todos",
        cookies={"session": "1"},
        headers={"origin": origin, "sec-fetch-site": "cross-site"},
    )

    assert response.status == status


def test_an_origin_may_change_something_only_below_its_paths() -> None:
    browser = client(origins=[OURS], credentials=True, paths=["/other"])
    response = browser.post(
        "/api/todos",
        cookies={"session": "1"},
        headers={"origin": OURS, "sec-fetch-site": "cross-site"},
    )

    assert response.json()["code"] == "request.cross-site"


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("cors.credentials-for-all", {"origins": ["*"], "credentials": True}),
        ("cors.private-network-for-all", {"origins": ["*"], "private_network": True}),
        ("cors.bad-origin", {"origins": "https://a.example"}),
        ("cors.bad-origin", {"origins": []}),
        ("cors.bad-origin", {"origins": ["*", "https://a.example"]}),
        ("cors.bad-origin", {"origins": ["null"]}),
        ("cors.bad-origin", {"origins": ["a.example"]}),
        ("cors.bad-origin", {"origins": ["https://*.a.example"]}),
        ("cors.bad-origin", {"origins": ["https://a.example/"]}),
        ("cors.bad-origin", {"origins": ["https://A.example"]}),
        ("cors.bad-origin", {"origins": ["https://ä.example"]}),
        ("cors.bad-origin", {"origins": ["https://a.example:443"]}),
        ("cors.bad-field", {"origins": ["https://a.example"], "headers": "x-a"}),
        ("cors.bad-field", {"origins": ["https://a.example"], "headers": ["x a"]}),
        ("cors.bad-field", {"origins": ["https://a.example"], "headers": ["*", "x-a"]}),
        (
            "cors.bad-field",
            {"origins": ["https://a.example"], "headers": ["*"], "credentials": True},
        ),
        ("cors.bad-method", {"origins": ["*"], "methods": ["get"]}),
        ("cors.bad-method", {"origins": ["*"], "methods": "GET"}),
        ("cors.bad-max-age", {"origins": ["*"], "max_age": -1}),
        ("middleware.bad-path", {"origins": ["*"], "paths": "/api"}),
        ("middleware.bad-path", {"origins": ["*"], "paths": ["api"]}),
        ("middleware.bad-path", {"origins": ["*"], "paths": ["/api/*"]}),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(code: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as error:
        Cors(**options)

    assert error.value.code == code
    assert error.value.remedy
    assert "test_cors.py" in str(error.value)
