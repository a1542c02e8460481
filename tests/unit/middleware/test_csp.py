"""Content Security Policy: what is said, nonces, and what browsers report."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import App, Html, Request, Response
from kingpost.errors import ConfigurationError
from kingpost.middleware import ContentSecurityPolicy, CspReport, CspReports, csp_nonce
from kingpost.middleware.csp import DEFAULT, NONCE, NONE, SELF, STRICT_DYNAMIC, UNSAFE_INLINE
from kingpost.middleware.csp_reports import reports_in
from kingpost.testing import TestClient

FIELD = "content-security-policy"


def client(*middleware: ContentSecurityPolicy) -> TestClient:
    app = App(middleware=list(middleware))

    @app.get("/")
    def home(request: Request) -> Html:
        return Html(f'<script nonce="{csp_nonce(request)}">{csp_nonce(request)}</script>')

    @app.get("/own")
    def own() -> Response[str]:
        return Response("own", headers={FIELD: "default-src 'none'"})

    return TestClient(app)


def test_the_default_policy() -> None:
    said = client(ContentSecurityPolicy()).get("/").headers[FIELD]

    assert re.sub(r"nonce-[^']+", "nonce-…", said) == (
        "default-src 'self'; script-src 'self' 'nonce-…'; style-src 'self' 'nonce-…'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )


def test_a_nonce_is_that_of_the_page_and_never_comes_twice() -> None:
    browser = client(ContentSecurityPolicy())
    found: set[str] = set()
    for _ in range(50):
        response = browser.get("/")
        nonces = re.findall(r"'nonce-([A-Za-z0-9+/]{22})'", response.headers[FIELD])
        assert nonces == re.findall(r'"(.+?)"', response.text) * 2
        found.update(nonces)

    assert len(found) == 50


def test_a_field_of_reports_is_said_where_there_are_some() -> None:
    assert "reporting-endpoints" not in client(ContentSecurityPolicy()).get("/").headers


def test_errors_have_a_policy_too() -> None:
    assert FIELD in client(ContentSecurityPolicy()).get("/none").headers


def test_what_the_handler_says_stays() -> None:
    said = client(ContentSecurityPolicy()).get("/own").headers.get_all(FIELD)

    assert said == ["default-src 'none'"]


def test_a_policy_can_be_tried_beside_another() -> None:
    headers = (
        client(
            ContentSecurityPolicy({"default-src": [SELF]}),
            ContentSecurityPolicy(
                {"script-src": [NONCE, STRICT_DYNAMIC]}, report_only=True, report_to="/reports"
            ),
        )
        .get("/")
        .headers
    )

    assert headers[FIELD] == "default-src 'self'"
    assert re.fullmatch(
        r"script-src 'nonce-[^']+' 'strict-dynamic'; report-uri /reports; report-to csp",
        headers[f"{FIELD}-report-only"],
    )
    assert headers["reporting-endpoints"] == 'csp="/reports"'


def test_all_kinds_of_sources() -> None:
    policy = {
        **DEFAULT,
        "script-src": [
            NONCE,
            UNSAFE_INLINE,
            "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        ],
        "img-src": [SELF, "data:", "https:", "*.example.org", "https://a.example:8443/x/"],
        "upgrade-insecure-requests": [],
        "sandbox": ["allow-forms"],
    }

    said = client(ContentSecurityPolicy(policy)).get("/").headers[FIELD]

    assert "img-src 'self' data: https: *.example.org https://a.example:8443/x/;" in said
    assert said.endswith("; upgrade-insecure-requests; sandbox allow-forms")


@pytest.mark.parametrize(
    ("code", "remedy", "policy"),
    [
        ("csp.empty", "", {}),
        ("csp.unknown-directive", "script-src", {"script_src": [SELF]}),
        ("csp.unknown-directive", "", {"x": [SELF]}),
        ("csp.bad-source", "'self'", {"default-src": ["self"]}),
        ("csp.bad-source", "'none'", {"default-src": ["NONE"]}),
        ("csp.bad-source", "list", {"default-src": SELF}),
        ("csp.bad-source", "NONE", {"default-src": []}),
        ("csp.bad-source", "alone", {"default-src": [NONE, SELF]}),
        ("csp.bad-source", "NONCE", {"script-src": ["'nonce-abc'"]}),
        ("csp.bad-source", "scripts", {"img-src": [NONCE]}),
        ("csp.bad-source", "'unsafe-inline'", {"script-src": ["'unsafe-inlin'"]}),
        ("csp.bad-source", "", {"script-src": ["'x'"]}),
        ("csp.bad-source", "blanks", {"default-src": ["a; script-src *"]}),
        ("csp.bad-source", "blanks", {"default-src": ["a, b"]}),
        ("csp.bad-source", "blanks", {"default-src": ["a\nb"]}),
        ("csp.bad-source", "blanks", {"default-src": ["ä.example"]}),
        ("csp.bad-source", "blanks", {"sandbox": [""]}),
    ],
    ids=str,
)
def test_what_browsers_would_skip_is_refused(code: str, remedy: str, policy: Any) -> None:
    with pytest.raises(ConfigurationError) as error:
        ContentSecurityPolicy(policy)

    assert error.value.code == code
    assert remedy in error.value.remedy


@pytest.mark.parametrize("path", ["reports", "https://a.example/", "/a b", '/a"', "/a;b", "/a,b"])
def test_reports_go_to_a_path_of_this_site(path: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        ContentSecurityPolicy(report_to=path)

    assert error.value.code == "csp.bad-report-path"


# -- reports

OLD = {
    "csp-report": {
        "document-uri": "https://shop.example.org/pay?card=4111#x",
        "effective-directive": "script-src-elem",
        "blocked-uri": "https://user:pw@evil.example/x.js?y",
        "source-file": "https://shop.example.org/a.js",
        "line-number": 7,
        "disposition": "report",
        "original-policy": "x" * 10_000,
    }
}
NEW = [
    {
        "type": "csp-violation",
        "age": 1,
        "url": "https://shop.example.org/",
        "body": {
            "documentURL": "https://shop.example.org/pay?card=4111",
            "effectiveDirective": "script-src-elem",
            "blockedURL": "inline",
            "sourceFile": None,
            "lineNumber": 7,
            "disposition": "enforce",
            "sample": "secret()",
        },
    },
    {"type": "deprecation", "body": {}},
]


def receiver(reports: CspReports) -> TestClient:
    app = App()
    app.add_route("/reports", reports, methods=["POST"], max_body="64 KiB")
    return TestClient(app)


def test_reports_of_both_formats_are_kept_without_what_is_secret() -> None:
    told: list[CspReport] = []
    reports = CspReports(tell=told.append)
    browser = receiver(reports)

    for body, kind in ((OLD, "csp-report"), (NEW, "reports+json"), (OLD, "csp-report")):
        response = browser.post(
            "/reports",
            content=json.dumps(body).encode(),
            headers={"content-type": f"application/{kind}"},
        )
        assert response.status == 204

    page = "https://shop.example.org/pay"
    old = CspReport(
        page,
        "script-src-elem",
        "https://evil.example/x.js",
        "https://shop.example.org/a.js",
        7,
        "report",
    )
    new = CspReport(page, "script-src-elem", "inline", "", 7, "enforce")
    assert reports.latest() == [(old, 2), (new, 1)]
    assert told == [old, new]


@pytest.mark.parametrize(
    ("content_type", "content", "status", "code"),
    [
        ("text/plain", b"{}", 415, "csp.no-report"),
        ("application/csp-report", b"", 400, "json.empty"),
        ("application/csp-report", b"{", 400, "json.malformed"),
        ("application/csp-report", b"[" * 100 + b"]" * 100, 400, "json.too-deep"),
        ("application/csp-report", b" " * 70_000, 413, "http.body-too-large"),
    ],
)
def test_what_is_no_report_is_refused(
    content_type: str, content: bytes, status: int, code: str
) -> None:
    response = receiver(CspReports()).post(
        "/reports", content=content, headers={"content-type": content_type}
    )

    assert (response.status, response.json()["code"]) == (status, code)


def test_reports_are_bounded_in_number_and_size() -> None:
    reports = CspReports(keep=10)
    for number in range(100):
        reports.add(CspReport(str(number), "script-src", "inline"))
    many = [{"type": "csp-violation", "body": {"effectiveDirective": "x" * 10_000}}] * 100

    assert [report.document for report, _ in reports.latest()] == [
        str(n) for n in range(99, 89, -1)
    ]
    assert len(reports_in(many)) == 20
    assert len(reports_in(many)[0].directive) == 512


def test_a_report_holds_no_controls() -> None:
    body = {
        "violated-directive": "img-src\r\nx",
        "document-uri": "https://a/\x1b[2J",
        "line-number": True,
    }

    assert reports_in({"csp-report": body}) == [
        CspReport("https://a/_[2J", "img-src__x", "", "", 0)
    ]


@pytest.mark.parametrize(
    "document", [1, {}, {"csp-report": 1}, [1], [{"type": "csp-violation", "body": 1}]], ids=str
)
def test_what_is_none_is_left_out(document: Any) -> None:
    assert reports_in(document) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["csp-report", "type", "body", "effectiveDirective", "blocked-uri", "lineNumber"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(JSON)
def test_any_document_is_read(document: Any) -> None:
    for report in reports_in(document):
        assert all(" " <= each <= "~" for each in report.document + report.blocked + report.source)


@pytest.mark.parametrize("keep", [0, 100_001])
def test_as_many_as_memory_holds(keep: int) -> None:
    with pytest.raises(ConfigurationError) as error:
        CspReports(keep=keep)

    assert error.value.code == "csp.bad-keep"
