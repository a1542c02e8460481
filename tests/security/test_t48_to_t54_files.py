"""T48 to T54: files. What is written to the socket is looked up as it is, so nothing on the way can have made it harmless."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kingpost import App, FileResponse
from kingpost.staticfiles import Static
from tests.security.rig import SHELLS, Rig, serving

SECRET = b"nobody may read this"
CONTENT = bytes(range(256)) * 4_000


@pytest.fixture(scope="module", params=SHELLS)
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    root = tmp_path_factory.mktemp("root")
    static, sibling = root / "static", root / "static2"
    for folder in (static / "a", sibling):
        folder.mkdir(parents=True)
    for secret in (root / "secret", sibling / "secret", static / ".env"):
        secret.write_bytes(SECRET)
    (static / "a" / "file.js").write_text("1", encoding="utf-8")
    (static / "a" / "file.js.gz").symlink_to(root / "secret")
    (static / "link").symlink_to(root / "secret")
    (static / "data.bin").write_bytes(CONTENT)

    app = App()
    app.include(Static("/static", static))
    app.include(Static("/site", static, name="site", fallback="a/file.js"))

    @app.get("/download")
    def download(name: str) -> FileResponse:
        return FileResponse(static / "data.bin", download=name)

    with serving(app, driver=request.param) as rig:
        yield rig


def target(path: bytes) -> bytes:
    return (
        b"GET " + path + b" HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n"
        b"accept: text/html\r\nconnection: close\r\n\r\n"
    )


STEPS = (b"..", b"%2e%2e", b".%2e", b"%252e%252e", b"%c0%ae%c0%ae", b"..%00", b"..;", b"...")
SLASHES = (b"/", b"%2f", b"\\", b"%5c", b"%c0%af", b"%252f", b"//")
OTHERS = (
    b"/secret",
    b"//secret",
    b"static2/secret",
    b"../static2/secret",
    b"link",
    b".env",
    b"%2eenv",
    b"a/..%2f.env",
    b"a/../.env",
    b"C:/secret",
    b"C|/secret",
    b"%5c%5c.%5cC:%5csecret",
    b"file:///secret",
    b"NUL",
    b"con.js",
    b"AUX%20",
    b"a/file.js::$DATA",
    b"a/file.js%00",
    b"a/file.js%20",
    b"a/file.js.",
    b"a%2ffile.js",
    b"a%5cfile.js",
    b"a//file.js",
    b"%ff%fe",
)


@pytest.mark.parametrize("prefix", [b"/static/", b"/site/"])
def test_t48_t50_nothing_leads_out_of_the_folder(rig: Rig, prefix: bytes) -> None:
    tried = [
        prefix + (step + slash) * depth + b"secret"
        for step in STEPS
        for slash in SLASHES
        for depth in (1, 2, 5)
    ]
    tried += [prefix + b"a" + slash + step + slash + b".env" for step in STEPS for slash in SLASHES]
    tried += [prefix + other for other in OTHERS]
    for path in tried:
        for answer in rig.ask(target(path)):
            assert SECRET not in answer.body, path
            # Not found, or no request at all, or a page of the single-page application.
            assert answer.status in (400, 404) or (prefix, answer.body) == (b"/site/", b"1"), path


def test_t49_a_variant_that_leads_out_is_none(rig: Rig) -> None:
    (answer,) = rig.ask(target(b"/static/a/file.js"))

    assert (answer.status, answer.body) == (200, b"1")
    assert answer.get("content-encoding") is None


def test_t53_the_name_of_a_download_stays_in_its_field(rig: Rig) -> None:
    name = b"a%22;x=%22b%0d%0aset-cookie:%20a=b%00%E2%80%AEgpj.exe"
    (answer,) = rig.ask(target(b"/download?name=" + name))

    assert answer.get("set-cookie") is None
    assert answer.get("content-disposition") == (
        'attachment; filename="a_;x=_b__set-cookie_ a=b__gpj.exe"'
    )
    assert answer.body == CONTENT


def test_t54_what_lies_outside_looks_like_what_is_nowhere(rig: Rig) -> None:
    there, nowhere = (
        rig.ask(target(path).replace(b"accept: text/html\r\n", b""))[0].body.replace(name, b"x")
        for path, name in [
            (b"/static/..%2fsecret", b"secret"),
            (b"/static/..%2fnothere", b"nothere"),
        ]
    )

    assert there == nowhere


@pytest.mark.parametrize(
    "field", [b"bytes=" + b"0-0," * 2_000, b"bytes=" + b",".join(b"%d-" % n for n in range(1_000))]
)
def test_t24_many_ranges_are_the_whole(rig: Rig, field: bytes) -> None:
    head = b"GET /static/data.bin HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nrange: "
    (answer,) = rig.ask(head + field + b"\r\n\r\n")

    assert (answer.status, answer.body) == (200, CONTENT)
