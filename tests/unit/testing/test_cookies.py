import pytest

from kingpost.testing import CookieJar


def jar_with(*fields: str, path: str = "/shop/cart") -> CookieJar:
    jar = CookieJar()
    for field in fields:
        jar.receive(field, "localhost", path)
    return jar


def test_a_cookie_comes_back_with_the_next_request() -> None:
    jar = jar_with("session=abc; Path=/; HttpOnly; Secure; SameSite=Lax")

    assert jar["session"] == "abc"
    assert jar.field("/anything") == "session=abc"


def test_its_attributes_can_be_looked_at() -> None:
    (cookie,) = jar_with("session=abc; Path=/; HttpOnly; Secure; SameSite=Strict").find("session")

    assert (cookie.http_only, cookie.secure, cookie.same_site) == (True, True, "strict")


@pytest.mark.parametrize(
    ("path", "sent"),
    [("/shop", True), ("/shop/", True), ("/shop/x", True), ("/shopping", False), ("/", False)],
)
def test_a_path_is_matched_by_whole_segments(path: str, sent: bool) -> None:
    assert bool(jar_with("a=1; Path=/shop").field(path)) is sent


def test_without_a_path_it_belongs_to_the_folder_of_the_page() -> None:
    jar = jar_with("a=1", path="/shop/cart")

    assert jar.field("/shop/other") == "a=1"
    assert jar.field("/") == ""


def test_longer_paths_are_sent_first() -> None:
    jar = jar_with("a=outer; Path=/", "a=inner; Path=/shop")

    assert jar.field("/shop") == "a=inner; a=outer"
    assert jar["a"] == "inner"


@pytest.mark.parametrize(
    "attribute", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_an_end_in_the_past_removes_it(attribute: str) -> None:
    jar = jar_with("a=1; Path=/")

    jar.receive(f"a=; Path=/; {attribute}", "localhost", "/")

    assert "a" not in jar
    assert len(jar) == 0


def test_max_age_wins_over_expires() -> None:
    jar = jar_with("a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT")

    assert jar["a"] == "1"


def test_an_end_in_the_future_keeps_it() -> None:
    assert jar_with("a=1; Expires=Fri, 31-Dec-2100 23:59:59 GMT")["a"] == "1"


@pytest.mark.parametrize("field", ["=x", "novalue", "  =__Host-x=v", ""])
def test_a_cookie_without_a_name_is_ignored(field: str) -> None:
    assert len(jar_with(field)) == 0


def test_a_cookie_for_another_domain_is_ignored() -> None:
    assert len(jar_with("a=1; Domain=example.org")) == 0


def test_a_cookie_can_be_set_and_removed_by_hand() -> None:
    jar = CookieJar()

    jar["theme"] = "dark"
    assert dict(jar) == {"theme": "dark"}

    del jar["theme"]
    with pytest.raises(KeyError):
        jar["theme"]
