"""What `signed.py` gives out comes back unaltered, or not at all."""

from __future__ import annotations

import pytest

from kingpost.testing import TestClient
from tests.programs.test_programs import program


def test_a_basket_in_a_cookie_cannot_be_written_by_hand() -> None:
    with TestClient(program("signed")) as browser:
        browser.post("/basket/milk")
        browser.post("/basket/bread")
        filled = browser.get("/basket").json()
        emptied = browser.delete("/basket")
        empty = browser.get("/basket").json()
        forged = browser.get("/basket", headers={"cookie": 'basket={"items":["gold"]}'}).json()

    assert filled == {"items": ["milk", "bread"]}
    assert emptied.status == 204
    assert empty == forged == {"items": []}


def test_an_encrypted_cookie_cannot_be_read() -> None:
    with TestClient(program("signed")) as browser:
        kept = browser.post("/diagnosis/hay%20fever")
        shown = browser.get("/diagnosis").text

    assert shown == "hay fever"
    assert "hay" not in kept.headers["set-cookie"]


def test_a_signed_link_works_and_an_altered_one_does_not() -> None:
    with TestClient(program("signed")) as browser:
        link = browser.get("/links/a%20b").text
        good = browser.get(link)
        head = browser.head(link)
        refused = [
            browser.get(altered)
            for altered in (
                link.replace("/a", "/c"),
                link + "&more=1",
                link[:-1],
                link.partition("?")[0],
            )
        ]

    assert (good.status, good.text) == (200, "the report a b")
    assert head.status == 200
    assert {answer.status for answer in refused} == {403}
    assert {answer.json()["code"] for answer in refused} == {"signing.bad-signature"}
    # Which check failed is nobody's business.
    assert len({answer.text for answer in refused}) == 1


def test_an_absolute_link_works_on_its_own_host_only() -> None:
    with TestClient(program("signed")) as browser:
        link = browser.get("/links/a?absolute=true").text
        path = "/" + link.split("/", 3)[3]
        here = browser.get(path)
        there = browser.get(path, headers={"host": "other.example"})

    assert link.startswith("http://")
    assert (here.status, there.status) == (200, 403)


def test_a_link_to_post_to_is_none_to_get() -> None:
    with TestClient(program("signed")) as browser:
        link = browser.get("/links-to-unsubscribe/7").text
        done = browser.post(link)
        other = browser.post(link.replace("=7", "=8"))

    assert (done.status, done.text) == (200, "user 7 gets no more mail")
    assert other.status == 403


def test_a_token_of_another_purpose_is_refused() -> None:
    with TestClient(program("signed")) as browser:
        token = browser.get("/invitations/ada@example.org").text
        joined = browser.get(f"/join?token={token}")
        link = browser.get("/links/a").text
        refused = [
            browser.get(f"/join?token={other}").status
            for other in (token[:-1], "", link.partition("signature=")[2])
        ]

    assert joined.text == "welcome, ada@example.org"
    assert refused == [403, 403, 403]


def test_every_process_with_the_key_reads_what_another_gave_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    with TestClient(program("signed")) as one, TestClient(program("signed")) as other:
        link = one.get("/links/a").text

        assert other.get(link).status == 200
