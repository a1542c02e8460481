"""Folders of files, through the engine."""

from __future__ import annotations

import errno
import gzip
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kingpost import App, Blueprint
from kingpost._native import OpenFile
from kingpost.errors import ConfigurationError
from kingpost.http import CacheControl, FileResponse
from kingpost.openapi import document
from kingpost.routing.route import Include
from kingpost.staticfiles import Static, static, static_url
from kingpost.staticfiles.asset import LARGEST_HASHED, digest_of
from kingpost.testing import TestClient

CSS = "body { color: red }\n" * 20
FOR_EVER = "public, immutable, max-age=31536000"
HTML = {"accept": "text/html,*/*;q=0.8"}

Serve = Callable[[Static], TestClient]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    contents: dict[str, str | bytes] = {
        "app.css": CSS,
        "app.css.gz": gzip.compress(CSS.encode()),
        "app.css.br": b"not really brotli",
        "index.html": "<h1>top</h1>",
        "docs/index.html": "<h1>docs</h1>",
        "docs/big.bin": bytes(100_000),
        "empty/readme.txt": "",
        ".env": "SECRET=1",
        ".git/config": "[core]",
        "two words.txt": "2",
    }
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "static2").mkdir()
    (tmp_path / "static2" / "a.txt").write_text("sibling", encoding="utf-8")
    return folder


@pytest.fixture(params=["production", "development", "test"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    monkeypatch.setenv("KINGPOST_ENV", name)
    return name


@pytest.fixture
def serve(mode: str) -> Iterator[Serve]:
    clients: list[TestClient] = []

    def start(static: Static) -> TestClient:
        client = TestClient(app_with(static))
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.close()


def app_with(*statics: Static) -> App:
    app = App()

    @app.get("/url/{name:path}")
    def url(name: str) -> str:
        return static_url(name)

    for one in statics:
        app.include(one)
    return app


def url_of(client: TestClient, name: str) -> str:
    return client.get(f"/url/{name}").text


def test_a_file_is_served_and_asked_for_each_time(serve: Serve, folder: Path) -> None:
    client = serve(Static("/static", folder))
    for _ in range(2):
        answer = client.get("/static/app.css")
        assert (answer.status, answer.text) == (200, CSS)
        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"

    etag = client.get("/static/app.css").headers["etag"]
    assert client.get("/static/app.css", headers={"if-none-match": etag}).status == 304
    assert client.get("/static/app.css", headers={"range": "bytes=0-3"}).text == "body"
    assert client.get("/static/docs/big.bin", headers={"range": "bytes=100000-"}).status == 416
    assert client.head("/static/app.css").headers["content-length"] == str(len(CSS))
    assert client.get("/static/two%20words.txt").text == "2"
    assert client.post("/static/app.css").status == 405


def test_a_hashed_name_is_kept_for_ever(serve: Serve, folder: Path, mode: str) -> None:
    client = serve(Static("/static", folder))
    url = url_of(client, "app.css")
    answer = client.get(url)

    assert url.startswith("/static/app.")
    assert url.endswith(".css")
    assert url.count(".") == 2
    assert answer.text == CSS
    # While it is worked on nothing is kept for ever.
    assert answer.headers["cache-control"] == ("no-cache" if mode == "development" else FOR_EVER)
    assert client.get(url, headers={"if-none-match": answer.headers["etag"]}).status == 304
    assert url_of(client, "two words.txt").startswith("/static/two%20words.")


def test_a_page_about_an_api_lists_no_files(folder: Path) -> None:
    app = app_with(Static("/static", folder))

    assert list(document(app)["paths"]) == ["/url/{name}"]


def test_the_name_of_an_earlier_content_leads_to_what_there_is_now(
    serve: Serve, folder: Path
) -> None:
    client = serve(Static("/static", folder))
    answer = client.get("/static/app.0123456789abcdef.css")

    assert (answer.status, answer.text) == (200, CSS)
    assert answer.headers["cache-control"] == "no-cache"
    assert client.get("/static/nothing.0123456789abcdef.css").status == 404


def test_a_variant_is_sent_to_those_who_take_it(serve: Serve, folder: Path) -> None:
    client = serve(Static("/static", folder))
    for url in ("/static/app.css", url_of(client, "app.css")):
        plain = client.get(url, headers={"accept-encoding": "identity"})
        zipped = client.get(url, headers={"accept-encoding": "gzip"})
        both = client.get(url, headers={"accept-encoding": "gzip, br"})

        assert "content-encoding" not in plain.headers
        assert (zipped.headers["content-encoding"], both.headers["content-encoding"]) == (
            "gzip",
            "br",
        )
        assert gzip.decompress(zipped.content).decode() == CSS
        assert len({answer.headers["etag"] for answer in (plain, zipped, both)}) == 3
        for answer in (plain, zipped, both):
            assert answer.headers["vary"] == "accept-encoding"
            assert answer.headers["content-type"] == "text/css; charset=utf-8"
        etag = zipped.headers["etag"]
        again = {"accept-encoding": "gzip", "if-none-match": etag}
        known = client.get(url, headers=again)
        assert (known.status, known.headers["vary"]) == (304, "accept-encoding")
        assert client.get(url, headers={**again, "accept-encoding": "br"}).status == 200
    assert "vary" not in client.get("/static/index.html").headers


def test_a_variant_of_an_older_content_is_left_alone(serve: Serve, folder: Path) -> None:
    now = (folder / "app.css").stat().st_mtime_ns
    os.utime(folder / "app.css.gz", ns=(now, now - 1))
    client = serve(Static("/static", folder))

    answer = client.get("/static/app.css", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        # T48: out of the folder, by every way of writing it.
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "%2e%2e%2fsecret.txt",
        "..%5csecret.txt",
        "..\\secret.txt",
        "docs/../../secret.txt",
        "docs/..%2f..%2fsecret.txt",
        "%252e%252e/secret.txt",
        "..;/secret.txt",
        "../static2/a.txt",
        "..%c0%afsecret.txt",
        "%c0%ae%c0%ae/secret.txt",
        "//secret.txt",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "docs%2findex.html",
        "app.css%00",
        "app.css%00.txt",
        # T50: Windows.
        "C:/secret.txt",
        "C:secret.txt",
        "%5c%5cserver%5cshare",
        "NUL",
        "CON.txt",
        "AUX%20",
        "app.css::$DATA",
        "app.css.",
        "app.css%20",
        # Not meant for anybody.
        ".env",
        ".git/config",
        "docs/.env",
        "empty",
        "empty/",
        "nothing",
        "app.css/",
        "app.css/index.html",
        "a" * 4_000,
    ],
)
@pytest.mark.parametrize("fallback", [None, "index.html"])
def test_nothing_else_is_served(
    serve: Serve, folder: Path, path: str, fallback: str | None
) -> None:
    client = serve(Static("/static", folder, fallback=fallback))

    assert client.get(f"/static/{path}").status in (404, 400)


def test_links_are_followed_inside_of_the_folder_only(serve: Serve, folder: Path) -> None:
    (folder / "inside.css").symlink_to("app.css")
    (folder / "outside.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "folder-outside").symlink_to(folder.parent / "static2")
    (folder / "folder-inside").symlink_to("docs")
    (folder / "loop").symlink_to(".")
    (folder / "nowhere").symlink_to("missing")
    # T49: a variant that leads out.
    (folder / "two words.txt.gz").symlink_to(folder.parent / "secret.txt")
    client = serve(Static("/static", folder))

    def get(path: str) -> tuple[int, str]:
        answer = client.get(f"/static/{path}", headers={"accept-encoding": "gzip;q=0.5"})
        return answer.status, answer.text if answer.status == 200 else ""

    assert get("inside.css") == (200, CSS)
    assert get("two%20words.txt") == (200, "2")
    for path in ("outside.txt", "folder-outside/a.txt", "nowhere", "two%20words.txt.gz"):
        assert get(path) == (404, "")


def test_a_pipe_is_no_file(serve: Serve, folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    assert serve(Static("/static", folder)).get("/static/pipe").status == 404


def test_a_folder_is_its_index(serve: Serve, folder: Path) -> None:
    client = serve(Static("/static", folder))

    assert client.get("/static/").text == "<h1>top</h1>"
    assert client.get("/static/docs/").text == "<h1>docs</h1>"
    redirect = client.get("/static/docs?x=1")
    assert (redirect.status, redirect.headers["location"]) == (308, "/static/docs/?x=1")


def test_without_an_index_a_folder_is_nothing(serve: Serve, folder: Path) -> None:
    client = serve(Static("/static", folder, index=None))

    assert [client.get(f"/static{path}").status for path in ("/", "/docs", "/docs/")] == [404] * 3


def test_files_with_a_dot_are_served_where_it_is_said(serve: Serve, folder: Path) -> None:
    client = serve(Static("/static", folder, dot_files=True))

    assert client.get("/static/.git/config").text == "[core]"
    assert client.get("/static/../secret.txt").status in (404, 400)


def test_a_single_page_application_falls_back(serve: Serve, folder: Path) -> None:
    static = Static("/", folder, fallback="index.html", immutable=["docs/*"], name="site")
    client = serve(static)

    for path in ("/", "/todos/7", "/todos/", "/app.css2"):
        for _ in range(2):
            answer = client.get(path, headers=HTML)
            assert (answer.status, answer.text) == (200, "<h1>top</h1>")
            assert answer.headers["cache-control"] == "no-cache"
            assert path == "/" or answer.headers["vary"] == "accept"
    assert client.get("/todos/7").status == 404
    assert client.get("/missing.js", headers={"accept": "*/*"}).status == 404
    assert client.get("/app.css", headers=HTML).text == CSS
    assert "//" not in client.get("//docs").headers.get("location", "")


def test_a_fallback_that_is_built_anew_may_be_missing_for_a_moment(
    serve: Serve, folder: Path, mode: str
) -> None:
    client = serve(Static("/static", folder, fallback="index.html"))
    if mode == "production":
        assert client.get("/static/todos", headers=HTML).status == 200
    (folder / "index.html").unlink()

    answer = client.get("/static/todos", headers=HTML)
    assert answer.status == (200 if mode == "production" else 404)


def test_a_fallback_that_vanished_before_it_was_asked_for_is_a_404(
    serve: Serve, folder: Path
) -> None:
    client = serve(Static("/static", folder, fallback="index.html"))
    (folder / "index.html").unlink()

    assert client.get("/static/todos", headers=HTML).status == 404


def test_a_file_that_is_replaced_while_it_is_looked_at_has_no_digest(folder: Path) -> None:
    file = OpenFile(folder / "app.css")
    new = folder / "new"
    new.write_text("new", encoding="utf-8")
    new.replace(folder / "app.css")

    assert digest_of(folder / "app.css", file) is None


def test_names_that_a_bundler_has_hashed_are_kept_for_ever(
    serve: Serve, folder: Path, mode: str
) -> None:
    client = serve(
        Static("/static", folder, immutable="docs/*", cache=CacheControl(public=True, max_age=60))
    )
    expected = "no-cache" if mode == "development" else FOR_EVER

    assert client.get("/static/docs/big.bin").headers["cache-control"] == expected
    assert client.get("/static/app.css").headers["cache-control"] == "public, max-age=60"
    assert url_of(client, "docs/big.bin") == "/static/docs/big.bin"


def test_a_large_file_has_no_hashed_name(serve: Serve, folder: Path) -> None:
    with (folder / "video.mp4").open("wb") as file:
        file.truncate(LARGEST_HASHED + 1)
    client = serve(Static("/static", folder))

    assert url_of(client, "video.mp4") == "/static/video.mp4"
    answer = client.get("/static/video.mp4", headers={"range": "bytes=-1"})
    assert (answer.status, answer.content) == (206, b"\0")


def test_a_change_is_seen_unless_in_production(serve: Serve, folder: Path, mode: str) -> None:
    client = serve(Static("/static", folder))
    before, url = client.get("/static/index.html"), url_of(client, "index.html")
    new = folder / "new"
    new.write_text("<h1>new</h1>", encoding="utf-8")
    new.replace(folder / "index.html")
    (folder / "added.txt").write_text("added", encoding="utf-8")
    after = client.get("/static/index.html")

    if mode == "production":
        assert (after.text, after.headers["etag"]) == (before.text, before.headers["etag"])
        assert client.get("/static/added.txt").status == 404
        assert url_of(client, "index.html") == url
    else:
        assert after.text == "<h1>new</h1>"
        assert after.headers["etag"] != before.headers["etag"]
        assert client.get("/static/added.txt").text == "added"
        assert url_of(client, "index.html") != url


def test_a_file_that_vanishes_is_a_404(serve: Serve, folder: Path) -> None:
    client = serve(Static("/static", folder, index=None))
    (folder / "app.css").unlink()

    assert client.get("/static/app.css").status == 404


def test_only_so_many_files_are_kept_open(
    serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static, "OPEN", 2)
    served = Static("/static", folder)
    client = serve(served)
    for _ in range(2):
        for path in ("app.css", "index.html", "two%20words.txt", "docs/big.bin"):
            assert client.get(f"/static/{path}").status == 200

    assert len(served._ready) <= 2


def test_names_that_clients_make_up_are_not_kept(serve: Serve, folder: Path) -> None:
    served = Static("/static", folder)
    client = serve(served)
    for number in range(5):
        client.get(f"/static/app.{number:016x}.css")

    assert served._ready == {}


def test_two_folders_go_by_their_names(folder: Path) -> None:
    app, shop = app_with(), Blueprint("shop", prefix="/shop")
    shop.include(Static("/files", folder.parent / "static2", name="files"))
    app.include([Include("/v1", shop)])
    app.include(Static("/static", folder))
    with TestClient(app) as client:
        url = url_of(client, "a.txt")
        assert url.startswith("/v1/shop/files/a.")
        assert client.get(url).text == "sibling"
        assert client.get(url_of(client, "app.css")).text == CSS
        assert app.url_for("static.file", path="docs/big.bin") == "/static/docs/big.bin"
        with pytest.raises(LookupError, match=r"no static file 'b.txt' .*static2, .*static\)"):
            client.get("/url/b.txt")


def test_an_app_without_static_files_has_no_urls_of_them(folder: Path) -> None:
    app, elsewhere = app_with(), Static("/static", folder)

    @app.get("/elsewhere")
    def url_elsewhere() -> str:
        return elsewhere.url("app.css")

    with TestClient(app) as client:
        with pytest.raises(LookupError, match="the App includes no Static"):
            client.get("/url/app.css")
        with pytest.raises(LookupError, match="included in no App"):
            client.get("/elsewhere")
    with pytest.raises(LookupError, match=r"no file 'b\.css'"):
        elsewhere.url("b.css")


def test_a_folder_is_meant_from_the_file_that_says_it() -> None:
    assert Static("/x", ".").folder == Path(__file__).parent
    names: dict[str, object] = {"__name__": "interactive"}
    exec("from kingpost.staticfiles import Static\ns = Static('/x', '.')", names)  # noqa: S102 - our own text
    served = names["s"]
    assert isinstance(served, Static)
    assert served.folder == Path.cwd()
    assert repr(served) == f"Static('/x', '{Path.cwd()}')"


def test_what_is_not_there_is_refused_where_it_is_written(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder 'statik'") as caught:
        Static("/static", "statik")
    assert caught.value.code == "static.no-folder"
    assert "test_static.py" in str(caught.value)
    with pytest.raises(ConfigurationError, match=r"there is no file 'app\.html'") as caught:
        Static("/", folder, fallback="app.html")
    assert caught.value.code == "static.no-fallback"


def test_it_can_be_installed_like_other_plugins(folder: Path) -> None:
    app, served = App(), Static("/static", folder)
    served.install(app)
    with TestClient(app) as client:
        assert client.get("/static/app.css").text == CSS
    assert tuple(served.requires) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("path", ["/static/app.css", "/file", "/page"])
def test_a_file_that_cannot_be_opened_for_want_of_descriptors_is_not_called_missing(
    folder: Path, mode: str, path: str
) -> None:
    import resource

    app = App()
    app.include(Static("/static", folder))
    app.include(Static("/", folder, name="site", fallback="index.html"))

    @app.get("/file")
    def file() -> FileResponse:
        return FileResponse(folder / "app.css")

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with TestClient(app) as client:
        try:
            # What is open stays open.
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
            # What a client raises is what a server logs, and answers with 500.
            with pytest.raises(OSError, match="Too many open files"):
                client.get(path, headers=HTML)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert client.get(path, headers=HTML).status == 200


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES])
def test_what_went_away_while_it_was_looked_at_is_missing(
    folder: Path, mode: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App()
    app.include(Static("/static", folder, cache=CacheControl(no_cache=True)))
    with TestClient(app) as client:

        def gone(path: object, *, follow: bool = True) -> None:
            raise OSError(number, "gone", str(path))

        monkeypatch.setattr("kingpost.staticfiles.asset.OpenFile", gone)

        assert client.get("/static/app.css").status == 404
