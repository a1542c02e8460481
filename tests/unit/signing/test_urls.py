"""Links that work as they were given out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost.signing import BadSignature, KeyRing, SignedUrls, Signer
from tests.unit.signing.conftest import GivenClock

KEYS = KeyRing("n" * 32)
URLS = SignedUrls(KEYS)


@dataclass
class Asked:
    """What a browser sends for a URL, as far as it is looked at."""

    host: str
    raw_path: bytes
    query_string: bytes
    method: str = "GET"


def asked(url: str, method: str = "GET", host: str = "example.org") -> Asked:
    parts = urlsplit(url)
    return Asked(parts.netloc or host, parts.path.encode(), parts.query.encode(), method)


def works(
    url: str, method: str = "GET", host: str = "example.org", urls: SignedUrls = URLS
) -> bool:
    try:
        urls.check(asked(url, method, host))
    except BadSignature:
        return False
    return True


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/a/b",
        "/a%20b/%2F",
        "/a?b=1&c=2",
        "/a?b",
        "/a?b=%26&b=2",
        "/a?redirect=/b?c=d",
        "https://example.org",
        "https://example.org/a",
        "http://example.org:8000/a?b=1",
        "https://example.org?b=1",
    ],
)
def test_a_signed_url_works_and_stays_readable(url: str) -> None:
    signed = URLS.sign(url)

    assert works(signed)
    assert signed.startswith(url.partition("?")[0])
    assert "signature=" in signed.partition("?")[2]
    assert not works(url)


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("/caf\u00e9", "/caf%C3%A9"),
        ("/a b?c=d e", "/a%20b?c=d%20e"),
        ("/a?b='c'", "/a?b=%27c%27"),
        ('/a"<>`{}|^[]', "/a%22%3C%3E%60%7B%7D%7C%5E%5B%5D"),
        ("/a?", "/a"),
        ("https://EXAMPLE.org:443/a", "https://example.org/a"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
    ],
)
def test_it_is_written_as_browsers_send_it(url: str, written: str) -> None:
    signed = URLS.sign(url)

    assert signed.startswith(written)
    assert works(signed)


def test_a_fragment_stays_behind() -> None:
    signed = URLS.sign("/a?b=1#chapter-2")

    assert signed.endswith("#chapter-2")
    assert works(signed)


paths = st.text("abc/%20.~", max_size=8).map(lambda rest: "/x" + rest.replace("//", "/"))
queries = st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz%26+", max_size=4)), max_size=3)


@given(path=paths, query=queries, data=st.data())
def test_any_byte_of_it_altered_is_refused(
    path: str, query: list[tuple[str, str]], data: st.DataObject
) -> None:
    try:
        signed = URLS.sign(path + "?" + "&".join(f"{name}={value}" for name, value in query))
    except ValueError:
        return  # dots that browsers resolve
    request = asked(signed)
    whole = request.raw_path + b"?" + request.query_string
    place = data.draw(st.integers(1, len(whole)))
    letter = bytes([data.draw(st.sampled_from(b"aZ09-_.&=?/%+\x00\xff"))])
    altered = data.draw(
        st.sampled_from(
            [
                whole[:place] + letter + whole[place + 1 :],
                whole[:place] + letter + whole[place:],
                whole[:place] + whole[place + 1 :],
            ]
        )
    )
    raw_path, _, query_string = altered.partition(b"?")

    URLS.check(request)
    if altered != whole:
        with pytest.raises(BadSignature):
            URLS.check(Asked("example.org", raw_path, query_string))


def test_every_parameter_counts() -> None:
    signed = URLS.sign("/a?user=1&page=2")
    start, signature = signed.split("&signature=")

    refused = [
        f"/a?user=2&page=2&signature={signature}",
        # Another order: of two parameters of one name the first one counts.
        f"/a?page=2&user=1&signature={signature}",
        f"/a?user=1&signature={signature}",
        f"{start}&more=1&signature={signature}",
        f"{signed}&more=1",
        f"/a?signature={signature}&user=1&page=2",
        f"{start}&signature={signature}&signature={signature}",
        f"{start}&signature=&signature={signature}",
        f"{start}&&signature={signature}",
        f"{start}&xsignature={signature}",
        f"{start};signature={signature}",
        f"{start}&Signature={signature}",
        f"/a?user=%31&page=2&signature={signature}",
        f"/a/?user=1&page=2&signature={signature}",
        f"/b?user=1&page=2&signature={signature}",
        start,
        f"{start}&signature=",
    ]
    assert works(signed)
    assert [url for url in refused if works(url)] == []


def test_a_query_that_is_empty_is_none() -> None:
    signature = URLS.sign("/a").partition("?")[2]

    assert works(f"/a?{signature}")
    assert not works(f"/a?&{signature}")


def test_a_signature_counts_for_its_method() -> None:
    get, post, any_ = URLS.sign("/a"), URLS.sign("/a", method="POST"), URLS.sign("/a", method=None)

    methods = ("GET", "HEAD", "POST", "DELETE")
    assert [works(get, method) for method in methods] == [True, True, False, False]
    assert [works(post, method) for method in methods] == [False, False, True, False]
    assert [works(any_, method) for method in methods] == [True] * 4


def test_a_relative_one_works_on_every_host_and_an_absolute_one_on_its_own() -> None:
    assert works(URLS.sign("/a"), host="other.example")
    absolute = URLS.sign("https://tenant-a.example/a")

    assert works(absolute)
    assert works(absolute.replace("tenant-a", "TENANT-A"))
    # A proxy ends TLS.
    assert works(absolute.replace("https:", "http:"))
    assert not works(absolute.replace("tenant-a", "tenant-b"))
    assert not works(absolute.replace(".example", ".example:8000"))


def test_it_ends(clock: GivenClock) -> None:
    urls = SignedUrls(KEYS, clock=clock)
    url = urls.sign("/a", expires_in=timedelta(minutes=1))
    lasting = urls.sign("/a")

    clock.now += 59
    assert works(url, urls=urls)
    clock.now += 1
    with pytest.raises(BadSignature) as caught:
        urls.check(asked(url))
    assert caught.value.has_expired
    assert works(lasting, urls=urls)
    clock.now -= 200
    with pytest.raises(BadSignature) as caught:
        urls.check(asked(url))
    assert not caught.value.has_expired


def test_keys_rotate() -> None:
    url = SignedUrls(KeyRing("o" * 32)).sign("/a")

    assert works(url, urls=SignedUrls(KeyRing("n" * 32, "o" * 32)))
    assert not works(url)


def test_no_other_signature_passes_for_one_of_a_url() -> None:
    for purpose in ("signed URL", "/a", "url"):
        assert not works("/a?signature=" + Signer(KEYS, purpose).sign(b"\x00"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("a/b", "begins with one slash"),
        ("?a=1", "begins with one slash"),
        ("", "begins with one slash"),
        ("//evil.example/a", "begins with one slash"),
        ("ftp://example.org/a", "begins with one slash"),
        ("javascript:alert(1)", "begins with one slash"),
        ("https://user@example.org/a", "begins with one slash"),
        ("https://b\u00fccher.example/", "host in ASCII"),
        ("/a/../b", "resolve its dots"),
        ("/a/%2E%2e/b", "resolve its dots"),
        ("/a/.", "resolve its dots"),
        ("/a\nb", "control characters"),
        ("/a\\b", "backslash"),
        ("/a?signature=1", "'signature' already"),
        ("/a?b=1&signature", "'signature' already"),
    ],
)
def test_what_browsers_would_change_is_not_signed(url: str, words: str) -> None:
    with pytest.raises(ValueError, match="cannot be signed: .*" + words):
        URLS.sign(url)


@pytest.mark.parametrize("method", ["", "get", "GET POST", "É"])
def test_a_method_is_written_in_capitals(method: str) -> None:
    with pytest.raises(ValueError, match="is no method"):
        URLS.sign("/a", method=method)


def test_a_duration_above_0() -> None:
    with pytest.raises(ValueError, match="expires_in=-1"):
        URLS.sign("/a", expires_in=-1)
