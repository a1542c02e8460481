"""Security headers: what each preset says, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost import App, Response
from kingpost.errors import ConfigurationError
from kingpost.middleware import Hsts, SecurityHeaders, TrustedProxies
from kingpost.middleware.headers import Preset
from kingpost.testing import TestClient

HTTPS = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}


def said(headers: SecurityHeaders, **request: Any) -> dict[str, str]:
    app = App(middleware=[TrustedProxies(["127.0.0.0/8"]), headers])

    @app.get("/")
    def home() -> str:
        return "home"

    @app.get("/own")
    def own() -> Response[str]:
        return Response("own", headers={"x-frame-options": "DENY"})

    fields = TestClient(app).get(request.pop("path", "/"), headers=HTTPS, **request).headers
    usual = {"date", "x-request-id", "content-type", "content-length", "x-content-type-options"}
    return {name: value for name, value in fields.pairs() if name not in usual}


SNAPSHOTS: dict[Preset, dict[str, str]] = {
    "pages": {
        "x-frame-options": "SAMEORIGIN",
        "referrer-policy": "strict-origin-when-cross-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "browsing-topics=(), camera=(), geolocation=(), microphone=()",
        "strict-transport-security": "max-age=31536000",
    },
    "strict": {
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": (
            "browsing-topics=(), camera=(), geolocation=(), microphone=(), accelerometer=(), autoplay=(), "
            "display-capture=(), encrypted-media=(), fullscreen=(), gyroscope=(), hid=(), identity-credentials-get=(), "
            "idle-detection=(), local-fonts=(), magnetometer=(), midi=(), otp-credentials=(), payment=(), "
            "picture-in-picture=(), publickey-credentials-create=(), publickey-credentials-get=(), screen-wake-lock=(), "
            "serial=(), storage-access=(), usb=(), web-share=(), xr-spatial-tracking=()"
        ),
        "strict-transport-security": "max-age=63072000; includeSubDomains",
    },
    "api": {
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
    },
}


@pytest.mark.parametrize("preset", SNAPSHOTS)
def test_a_preset_says_this(preset: Preset) -> None:
    assert said(SecurityHeaders(preset)) == SNAPSHOTS[preset]


def test_errors_say_it_too() -> None:
    fields = said(SecurityHeaders(), path="/none")

    assert fields["x-frame-options"] == "SAMEORIGIN"


def test_what_the_handler_says_stays() -> None:
    assert said(SecurityHeaders(), path="/own")["x-frame-options"] == "DENY"


def test_https_is_asked_for_over_https_only() -> None:
    app = App(middleware=[SecurityHeaders()])
    fields = TestClient(app).get("/", headers=HTTPS).headers

    assert "strict-transport-security" not in fields


def test_values_take_the_place_of_the_presets() -> None:
    headers = SecurityHeaders(
        hsts=None,
        frame_options="",
        referrer_policy="no-referrer, same-origin",
        permissions={"camera": ["self", "https://meet.example.org"], "usb": []},
    )

    assert said(headers) == {
        "referrer-policy": "no-referrer, same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": 'camera=(self "https://meet.example.org"), usb=()',
    }


@pytest.mark.parametrize(
    ("hsts", "field"),
    [
        (Hsts(), "max-age=31536000"),
        (Hsts(0), "max-age=0"),
        (Hsts(subdomains=True), "max-age=31536000; includeSubDomains"),
        (Hsts(subdomains=True, preload=True), "max-age=31536000; includeSubDomains; preload"),
    ],
)
def test_the_field_of_hsts(hsts: Hsts, field: str) -> None:
    assert hsts.field() == field


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("security-headers.bad-value", {"preset": "loose"}),
        ("security-headers.bad-value", {"frame_options": "deny"}),
        ("security-headers.bad-value", {"frame_options": "DENY, SAMEORIGIN"}),
        ("security-headers.bad-value", {"frame_options": "ALLOW-FROM https://a.example"}),
        ("security-headers.bad-value", {"referrer_policy": "never"}),
        ("security-headers.bad-value", {"opener_policy": "same-site"}),
        ("security-headers.bad-permission", {"permissions": {"camera": "self"}}),
        ("security-headers.bad-permission", {"permissions": {"Camera": []}}),
        ("security-headers.bad-permission", {"permissions": {"camera": ["none"]}}),
        ("security-headers.bad-permission", {"permissions": {"camera": ['https://a"b']}}),
        ("security-headers.bad-hsts", {"hsts": Hsts(-1)}),
        ("security-headers.bad-hsts", {"hsts": Hsts(preload=True)}),
        ("security-headers.bad-hsts", {"hsts": Hsts(300, subdomains=True, preload=True)}),
    ],
    ids=str,
)
def test_what_browsers_would_not_understand_is_refused(code: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as error:
        SecurityHeaders(**options)

    assert error.value.code == code
