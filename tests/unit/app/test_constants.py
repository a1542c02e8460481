"""What parameters get by naming a class of the App: its settings, and what signs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kingpost import App, Request, Response, Secret, Settings
from kingpost.app.compile import compile_app
from kingpost.app.constants import Constants
from kingpost.errors import SettingsError, SignatureError
from kingpost.settings import settings as settings_module
from kingpost.signing import EncryptedCookies, KeyRing, SignedCookies, SignedUrls, Signer
from kingpost.testing import TestClient

KEY = "k" * 40


class Foreign(Settings):
    """Not the App's."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("KINGPOST_ENV", raising=False)
    monkeypatch.setattr(settings_module, "_LOADED", {})
    return iter([tmp_path])


def signing(settings: type[Settings] | None = None) -> App:
    app = App(settings=settings)

    @app.get("/")
    def home(keys: KeyRing) -> str:
        return Signer(keys, "test").sign("x")

    return app


def test_what_is_not_named_is_not_made() -> None:
    def fail() -> object:
        pytest.fail("nobody asked")

    constants = Constants({int: 1}, {str: fail})

    assert str in constants
    assert float not in constants
    assert list(constants) == [int, str]
    assert len(constants) == 2
    assert constants[int] == 1


def test_it_is_made_once() -> None:
    constants = Constants({}, {object: object})

    assert constants[object] is constants[object]


def test_each_of_them_has_the_keys_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", KEY)
    app = App()
    given: list[object] = []

    @app.get("/")
    def home(
        keys: KeyRing, urls: SignedUrls, signed: SignedCookies, encrypted: EncryptedCookies
    ) -> Response[str]:
        given.extend((keys, urls, signed, encrypted))
        answer = Response(urls.sign("/"))
        signed.set(answer, "a", "b")
        return answer

    with TestClient(app) as client:
        client.get("/")

    assert [type(each) for each in given] == [KeyRing, SignedUrls, SignedCookies, EncryptedCookies]
    keys = given[0]
    assert isinstance(keys, KeyRing)
    assert keys.derive("x") == KeyRing(KEY).derive("x")


def test_providers_hooks_lifespans_and_resources_name_them_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", KEY)
    app = App()
    seen: list[str] = []

    @app.provide(scope="app")
    def signer(keys: KeyRing) -> Signer:
        return Signer(keys, "test")

    @app.before_request
    def hook(request: Request, signer: Signer) -> None:
        seen.append(signer.verify(signer.sign("hook")).decode())

    @app.lifespan
    def life(keys: KeyRing) -> Iterator[None]:
        seen.append(repr(keys))
        yield

    @app.resource("/about")
    class About:
        def __init__(self, keys: KeyRing) -> None:
            self.keys = keys

        def get(self) -> str:
            return repr(self.keys)

    with TestClient(app) as client:
        assert client.get("/about").text == "<KeyRing of 1 key>"

    assert seen == ["<KeyRing of 1 key>", "hook"]


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("mode", ["production", "development"])
def test_who_signs_does_not_start_without_a_key(
    value: str | None, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is not None:
        monkeypatch.setenv("SECRET_KEY", value)

    with pytest.raises(SettingsError, match="SECRET_KEY is missing, and kingpost") as caught:
        compile_app(signing(), mode=mode)  # type: ignore[arg-type]  # one of the modes, as text

    assert caught.value.code == "settings.no-secret-key"


def test_the_prefix_of_the_settings_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shop(Settings, prefix="SHOP_"):
        pass

    monkeypatch.setenv("SECRET_KEY", KEY)

    with pytest.raises(SettingsError, match="SHOP_SECRET_KEY is missing"):
        compile_app(signing(Shop), mode="production")


def test_a_short_key_is_refused_in_every_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "short")

    with pytest.raises(SettingsError, match="has 5 characters") as caught, TestClient(signing()):
        pass

    assert caught.value.code == "settings.weak-secret-key"


def test_who_does_not_sign_needs_no_key() -> None:
    app = App()

    @app.get("/")
    def home() -> str:
        return "hello"

    compile_app(app, mode="production")


def test_tests_need_no_key_and_share_one() -> None:
    """What one App of a test gave out another one reads, as behind a load balancer."""
    reading = App()

    @reading.get("/")
    def home(token: str, keys: KeyRing) -> str:
        return Signer(keys, "test").verify(token).decode()

    with TestClient(signing()) as one, TestClient(reading) as other:
        assert other.get(f"/?token={one.get('/').text}").text == "x"

    assert not Path(".env").exists()


def test_former_keys_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App()

    @app.get("/")
    def home(token: str, keys: KeyRing) -> str:
        return Signer(keys, "test").verify(token).decode()

    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("FORMER_SECRET_KEYS", f"{'o' * 32}, {'p' * 32}")
    statuses = []
    with TestClient(app) as client:
        for key in (KEY, "o" * 32, "p" * 32, "q" * 32):
            token = Signer(KeyRing(key), "test").sign("x")
            statuses.append(client.get(f"/?token={token}").status)

    assert statuses == [200, 200, 200, 403]


def test_a_short_former_key_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keys(Settings):
        secret_key: Secret[str] = Secret(KEY)
        former_secret_keys: tuple[Secret[str], ...] = (Secret("short"),)

    with pytest.raises(Exception, match="former key 1 of a KeyRing has 5 bytes"):
        compile_app(signing(Keys), mode="production")


def test_a_url_is_asked_for_before_there_is_a_key() -> None:
    assert signing().url_for("home") == "/"


def test_other_settings_are_still_refused() -> None:
    app = App()

    @app.get("/")
    def home(settings: Foreign) -> str:
        return ""

    with pytest.raises(SignatureError, match="the App's settings are none"):
        compile_app(app, mode="production")


def test_who_does_not_sign_does_not_load_openssl() -> None:
    program = (
        "import sys; from kingpost import App; from kingpost.app.compile import compile_app; import kingpost.http; "
        "compile_app(App(), mode='production'); print([m for m in sys.modules if 'kingpost.signing' in m])"
    )

    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
