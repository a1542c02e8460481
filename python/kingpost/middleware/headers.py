"""`SecurityHeaders`: what browsers are told to refuse on behalf of a site.

Sources: HSTS RFC 6797; X-Frame-Options, Cross-Origin-Opener-Policy, -Embedder-Policy and Origin-Agent-Cluster the HTML standard;
Cross-Origin-Resource-Policy the Fetch standard; Referrer-Policy and Permissions-Policy their W3C specifications.

Rule 1: what a handler says itself stays.
Rule 2: Strict-Transport-Security is said over https only (RFC 6797 section 7.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from kingpost.http.before_body import before_body
from kingpost.http.headers import check_field
from kingpost.http.media_type import is_token
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.middleware.refusal import refused
from kingpost.routing.around import CallNext

YEAR: Final = 31_536_000
"""Seconds."""

Preset: TypeAlias = Literal["pages", "strict", "api"]


class Hsts(NamedTuple):
    """How long browsers insist on https for this host (RFC 6797).

    Attributes:
        max_age: Seconds; 0 makes them forget it.
        subdomains: All hosts below it, too.
        preload: The site asks to be in the lists that browsers bring along, which takes months to undo.
    """

    max_age: int = YEAR
    subdomains: bool = False
    preload: bool = False

    def field(self) -> str:
        """The value of Strict-Transport-Security.

        Raises:
            ConfigurationError: `security-headers.bad-hsts`: a negative time, or `preload` without what the lists ask for.
        """
        if self.max_age < 0:
            raise refused(
                "security-headers.bad-hsts",
                f"max_age={self.max_age} is no number of seconds",
                f"write {YEAR}, a year",
            )
        if self.preload and not (self.subdomains and self.max_age >= YEAR):
            raise refused(
                "security-headers.bad-hsts",
                "the lists of browsers take only hosts that mean all their subdomains, for a year at least",
                "write Hsts(subdomains=True, preload=True)",
            )
        parts = [f"max-age={self.max_age}"]
        if self.subdomains:
            parts.append("includeSubDomains")
        if self.preload:
            parts.append("preload")
        return "; ".join(parts)


_NO_DEVICES: Mapping[str, Sequence[str]] = MappingProxyType(
    {"browsing-topics": (), "camera": (), "geolocation": (), "microphone": ()}
)
_NOTHING: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        **_NO_DEVICES,
        "accelerometer": (),
        "autoplay": (),
        "display-capture": (),
        "encrypted-media": (),
        "fullscreen": (),
        "gyroscope": (),
        "hid": (),
        "identity-credentials-get": (),
        "idle-detection": (),
        "local-fonts": (),
        "magnetometer": (),
        "midi": (),
        "otp-credentials": (),
        "payment": (),
        "picture-in-picture": (),
        "publickey-credentials-create": (),
        "publickey-credentials-get": (),
        "screen-wake-lock": (),
        "serial": (),
        "storage-access": (),
        "usb": (),
        "web-share": (),
        "xr-spatial-tracking": (),
    }
)

_VALUES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "frame_options": ("DENY", "SAMEORIGIN"),
        "referrer_policy": (
            "no-referrer",
            "no-referrer-when-downgrade",
            "origin",
            "origin-when-cross-origin",
            "same-origin",
            "strict-origin",
            "strict-origin-when-cross-origin",
            "unsafe-url",
        ),
        "opener_policy": (
            "same-origin",
            "same-origin-allow-popups",
            "noopener-allow-popups",
            "unsafe-none",
        ),
        "embedder_policy": ("require-corp", "credentialless", "unsafe-none"),
        "resource_policy": ("same-origin", "same-site", "cross-origin"),
    }
)
_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "frame_options": "x-frame-options",
        "referrer_policy": "referrer-policy",
        "opener_policy": "cross-origin-opener-policy",
        "embedder_policy": "cross-origin-embedder-policy",
        "resource_policy": "cross-origin-resource-policy",
    }
)

_PRESETS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "pages": {
            "frame_options": "SAMEORIGIN",
            "referrer_policy": "strict-origin-when-cross-origin",
            "opener_policy": "same-origin",
            "resource_policy": "same-origin",
        },
        "strict": {
            "frame_options": "DENY",
            "referrer_policy": "no-referrer",
            "opener_policy": "same-origin",
            "embedder_policy": "require-corp",
            "resource_policy": "same-origin",
        },
        "api": {
            "frame_options": "DENY",
            "referrer_policy": "no-referrer",
            "resource_policy": "same-origin",
        },
    }
)
_PERMISSIONS: Mapping[str, Mapping[str, Sequence[str]]] = MappingProxyType(
    {"pages": _NO_DEVICES, "strict": _NOTHING, "api": {}}
)
_HSTS: Mapping[str, Hsts] = MappingProxyType(
    {"pages": Hsts(), "strict": Hsts(2 * YEAR, subdomains=True), "api": Hsts()}
)


@before_body
class SecurityHeaders:
    """Tells browsers what to refuse: other sites' frames, eavesdropped connections, cameras that nobody needs.

    Args:
        preset: "pages" for a site of pages, and the values to begin with; "strict" for one that lives alone: no frames, no referrers, no
            windows of others, no features of devices; "api" for one that has no pages.
        hsts: Over https, how long browsers insist on https; None says nothing.
        frame_options: "DENY" or "SAMEORIGIN": whose frames may show a page. The same as CSP's `frame-ancestors`, for old browsers.
        referrer_policy: What other sites learn of the page that a visitor comes from.
        opener_policy: Which windows share one process with ours (COOP).
        embedder_policy: What pages may embed without its consent (COEP).
        resource_policy: Whose pages may embed our answers (CORP).
        permissions: Features of the browser and who may use them, such as `{"camera": ["self"]}`; in place of the preset's.

    "" in place of a value leaves the field out.

    Raises:
        ConfigurationError: `security-headers.bad-value`, `security-headers.bad-permission`, `security-headers.bad-hsts`.

    Example:
        `app.middleware(SecurityHeaders("strict", referrer_policy="same-origin"))`
    """

    def __init__(
        self,
        preset: Preset = "pages",
        *,
        hsts: Hsts | Literal["preset"] | None = "preset",
        frame_options: str | None = None,
        referrer_policy: str | None = None,
        opener_policy: str | None = None,
        embedder_policy: str | None = None,
        resource_policy: str | None = None,
        permissions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        if preset not in _PRESETS:
            raise bad_value("preset", preset, tuple(_PRESETS))
        given = {
            "frame_options": frame_options,
            "referrer_policy": referrer_policy,
            "opener_policy": opener_policy,
            "embedder_policy": embedder_policy,
            "resource_policy": resource_policy,
        }
        self._fields: list[tuple[str, str]] = []
        for option, field in _FIELDS.items():
            value = given[option]
            value = _PRESETS[preset].get(option, "") if value is None else value
            if value:
                self._fields.append((field, checked_value(option, value)))
        features = _PERMISSIONS[preset] if permissions is None else permissions
        if features:
            self._fields.append(("permissions-policy", permissions_field(features)))
        chosen = _HSTS[preset] if hsts == "preset" else hsts
        self.hsts = chosen
        self._fields = [check_field(*field) for field in self._fields]
        self._https_fields = list(self._fields)
        if chosen is not None:
            self._https_fields.append(hsts_field(chosen))

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        response.headers.fill(self._https_fields if request.scheme == "https" else self._fields)
        return response


def hsts_field(hsts: Hsts) -> tuple[str, str]:
    return check_field("strict-transport-security", Hsts(*hsts).field())


def checked_value(option: str, value: str) -> str:
    # Referrer-Policy may be a list: the last one that a browser knows counts.
    parts = [part.strip(" ") for part in value.split(",")]
    if option != "referrer_policy" and len(parts) > 1:
        raise bad_value(option, value, _VALUES[option])
    for part in parts:
        if part not in _VALUES[option]:
            raise bad_value(option, value, _VALUES[option])
    return value


def bad_value(option: str, value: str, known: Sequence[str]) -> Exception:
    return refused(
        "security-headers.bad-value",
        f"{option}={value!r} is nothing that browsers know",
        f"write one of {', '.join(map(repr, known))}",
    )


def permissions_field(features: Mapping[str, Sequence[str]]) -> str:
    """The value of Permissions-Policy: a dictionary of lists (RFC 9651)."""
    parts: list[str] = []
    for feature, who in features.items():
        if isinstance(who, str) or not is_token(feature) or feature != feature.lower():
            raise bad_permission(feature, who)
        parts.append(f"{feature}=({' '.join(allowed(feature, one) for one in who)})")
    return ", ".join(parts)


def allowed(feature: str, who: str) -> str:
    if who in ("*", "self", "src"):
        return who
    if "://" not in who or any(mark in who for mark in '"\\ ') or not who.isascii():
        raise bad_permission(feature, who)
    return f'"{who}"'


def bad_permission(feature: str, who: object) -> Exception:
    return refused(
        "security-headers.bad-permission",
        f"permissions={{{feature!r}: {who!r}}} cannot be sent",
        'write {"camera": []} for nobody, {"camera": ["self", "https://meet.example.org"]} for some',
    )
