"""Parameters are read from where the program says, and told all at once where they are wrong."""

from __future__ import annotations

from kingpost.testing import TestClient
from tests.programs.test_programs import program

PNG = b"\x89PNG\r\n\x1a\n"


def locations(errors: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(*_list(error["location"]), error["code"]) for error in errors]


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return list(value)  # pyright: ignore[reportUnknownArgumentType] - of a document


def test_query_header_and_cookie() -> None:
    with TestClient(program("parameters")) as browser:
        found = browser.get(
            "/search/maps?filter[name]=x&filter[size]=3&tag=a,b&page-size=7",
            headers={"x-api-token": "secret", "user-agent": "test", "cookie": "theme=dark"},
        )
        plain = browser.get("/search/maps?tag=a", headers={"user-agent": "test"})
        wrong = browser.get("/search/maps?filter[size]=0&page-size=x&page-size=y")

    assert found.json() == {
        "shelf": "maps",
        "filter": {"name": "x", "size": 3},
        "tags": ["a", "b"],
        "page_size": 7,
        "agent": "test",
        "token": "secret",
        "theme": "dark",
    }
    assert plain.json()["filter"] == {"name": "", "size": 10}
    assert plain.json()["token"] is None
    assert wrong.status == 422
    assert locations(wrong.json()["errors"]) == [
        ("query", "filter", "size", "too-small"),
        ("query", "tag", "missing"),
        ("query", "page-size", "repeated"),
    ]


def test_groups_of_query_headers_and_cookies() -> None:
    with TestClient(program("parameters")) as browser:
        found = browser.get(
            "/grouped?page=2",
            headers={"x-request-from": "me", "retries": "3", "cookie": "columns=3; other=1"},
        )
        wrong = browser.get(
            "/grouped?size=101",
            headers={"x-request-from": "me", "retries": "4", "cookie": "columns=many"},
        )

        unnamed = browser.get("/grouped")
    assert found.json() == {
        "paging": {"page": 2, "size": 20},
        "tracing": {"x_request_from": "me", "retries": 3},
        "choices": {"theme": "light", "columns": 3},
    }
    assert wrong.status == unnamed.status == 422
    # By the name that the client sends, not by the one of the class.
    assert locations(unnamed.json()["errors"]) == [("header", "x-request-from", "missing")]
    assert locations(wrong.json()["errors"]) == [
        ("query", "size", "too-large"),
        ("header", "retries", "too-large"),
        ("cookie", "columns", "not-an-integer"),
    ]


def test_forms() -> None:
    with TestClient(program("parameters")) as browser:
        welcome = browser.post("/login", form={"name": "ann", "password": "abc"})
        as_multipart = browser.post("/login", form={"name": "ann", "password": "abcd"}, files={})
        half = browser.post("/login", form={"name": "ann"})
        as_json = browser.post("/login", json={"name": "ann", "password": "abc"})
        wrong = browser.post("/contact", form={"name": "ann", "age": "-1"})
        right = browser.post("/contact", form={"name": "ann", "age": "3", "topics": ["a", "b"]})

    assert welcome.text == "welcome ann, 3 characters"
    assert as_multipart.text == "welcome ann, 4 characters"
    assert locations(half.json()["errors"]) == [("form", "password", "missing")]
    assert (as_json.status, as_json.json()["code"]) == (415, "form.wrong-content-type")
    assert wrong.json() == {"errors": {"age": ["must be 0 or more"], "topics": ["is required"]}}
    assert right.json() == {"contact": {"name": "ann", "age": 3, "topics": ["a", "b"]}}


def test_files() -> None:
    with TestClient(program("parameters")) as browser:
        sent = browser.post(
            "/avatar",
            form={"caption": "me"},
            files={"picture": ("../../me.png", PNG + b"x" * 400_000, "image/png")},
        )
        none = browser.post("/avatar", files={"picture": ("", b"")})
        two = browser.post("/avatar", files={"picture": [("a", b"1"), ("b", b"2")]})
        cut = browser.post(
            "/avatar",
            content=b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n",
            headers={"content-type": "multipart/form-data; boundary=x"},
        )

    assert sent.json() == {
        "name": "me.png",
        "type": "image/png",
        "size": 400_008,
        "first": "89504e47",
        "caption": "me",
    }
    assert locations(none.json()["errors"]) == [("form", "picture", "missing")]
    assert locations(two.json()["errors"]) == [("form", "picture", "repeated")]
    assert (cut.status, cut.json()["code"]) == (400, "form.incomplete")


def test_a_model_with_files() -> None:
    fields = {"title": "Blue", "year": "1971"}
    with TestClient(program("parameters")) as browser:
        whole = browser.post(
            "/albums",
            form=fields,
            files={"cover": ("../c.png", PNG), "pages": [("1", b"1"), ("2", b"22")]},
        )
        alone = browser.post("/albums", form=fields, files={"cover": ("c", b"1")})
        wrong = browser.post(
            "/albums",
            form={"title": "", "year": "x", "cover": "no file"},
            files={"sleeve": [("a", b"1"), ("b", b"2")]},
        )
        plain = browser.post("/albums", form=fields)
        large = browser.post(
            "/albums", form=fields, files={"cover": ("c", b"x" * (8 * 1024 * 1024 + 1))}
        )
        shown = browser.post("/albums/preview", form={"title": "Blue", "year": "x"})
        good = browser.post("/albums/preview", form=fields, files={"cover": ("c", b"123")})

    assert whole.json() == {
        "title": "Blue",
        "cover": "c.png",
        "pages": [1, 2],
        "has_sleeve": False,
    }
    assert alone.json()["pages"] == []
    assert (wrong.status, locations(wrong.json()["errors"])) == (
        422,
        [
            ("form", "title", "too-short"),
            ("form", "year", "not-an-integer"),
            ("form", "cover", "missing"),
            ("form", "sleeve", "repeated"),
        ],
    )
    assert locations(plain.json()["errors"]) == [("form", "cover", "missing")]
    assert (large.status, large.json()["code"]) == (413, "form.file-too-large")
    assert shown.json() == {
        "errors": {"year": ["must be a whole number in digits"], "cover": ["is required"]},
        "title": "Blue",
    }
    assert good.json() == {"size": 3}


def test_constants() -> None:
    with TestClient(program("constants")) as browser:
        ping = browser.get("/ping")
        head = browser.head("/ping")
        about = browser.get("/about")
        old = browser.post("/old", json={})
        robots = browser.get("/robots.txt")
        refused = browser.post("/ping")

    assert (ping.text, ping.headers["content-type"]) == ("pong", "text/plain; charset=utf-8")
    assert (head.text, head.headers["content-length"]) == ("", "4")
    assert (about.text, about.headers["cache-control"]) == ("<p>made of wood</p>", "max-age=60")
    assert about.headers["x-content-type-options"] == "nosniff"
    assert old.status == 410
    assert robots.headers["content-type"] == "text/plain; charset=utf-8"
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
