"""The fixtures, in runs of pytest of their own, beside other plugins."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

APP = """
from kingpost import App
app = App()
@app.get("/")
def home() -> str:
    return "from app.py"
"""

# What pytest-flask does where a test lists a fixture `app`: it takes it for a Flask application.
LIKE_FLASK = """
import pytest

@pytest.fixture(autouse=True)
def _push_request_context(request):
    if "app" in request.fixturenames:
        request.getfixturevalue("app").test_request_context()

@pytest.fixture
def client(app):
    return "theirs"

@pytest.fixture(name="live_server")
def their_live_server():
    return "theirs"
"""


def passes(pytester: pytest.Pytester, text: str, *arguments: str, tests: int = 1) -> None:
    pytester.makepyfile(test_it=text)
    run(pytester, "-W", "error", *arguments).assert_outcomes(passed=tests)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """A run of pytest; the frameworks' plugins are switched off, where they are installed, unless a test names them."""
    off = [name for name in ("cacheprovider", "flask", "django") if name not in arguments]
    switches = [word for name in off for word in ("-p", f"no:{name}")]
    return pytester.runpytest_subprocess(
        *switches, *[one for one in arguments if one not in ("flask", "django")]
    )


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(app=APP)
    return pytester


def test_the_default_app_is_the_one_that_kingpost_run_would_find(project: pytest.Pytester) -> None:
    passes(
        project,
        """
        def test_client(kingpost_client):
            assert kingpost_client.get("/").text == "from app.py"
        """,
    )


def test_the_short_names_are_there_where_nobody_else_has_them(project: pytest.Pytester) -> None:
    passes(
        project,
        """
        import urllib.request

        def test_client(client, app):
            assert client.get("/").text == "from app.py"
            assert type(app).__name__ == "App"

        def test_server(live_server):
            with urllib.request.urlopen(live_server.url + "/") as answer:
                assert answer.read() == b"from app.py"
        """,
        tests=2,
    )


def test_a_projects_own_app_is_tested(project: pytest.Pytester) -> None:
    project.makeconftest(
        """
        import pytest
        from kingpost import App

        @pytest.fixture
        def app():
            mine = App()
            mine.get("/")(lambda: "from conftest")
            return mine
        """
    )
    passes(
        project,
        """
        def test_both(client, kingpost_server):
            assert client.get("/").text == "from conftest"
            assert kingpost_server.url.startswith("http://127.0.0.1:")
        """,
    )


def test_names_that_another_plugin_has_stay_its_own(project: pytest.Pytester) -> None:
    project.makepyfile(like_flask=LIKE_FLASK)
    passes(
        project,
        """
        def test_ours(kingpost_client, kingpost_server):
            assert kingpost_client.get("/").text == "from app.py"

        def test_theirs(live_server):
            assert live_server == "theirs"
        """,
        "-p",
        "like_flask",
        tests=2,
    )


def test_a_projects_own_client_stays_its_own(project: pytest.Pytester) -> None:
    project.makeconftest("import pytest\n@pytest.fixture\ndef client():\n    return 'mine'\n")
    passes(project, "def test_it(client):\n    assert client == 'mine'\n")


def test_an_app_of_another_framework_is_refused_with_what_to_do(project: pytest.Pytester) -> None:
    project.makeconftest("import pytest\n@pytest.fixture\ndef app():\n    return object()\n")
    project.makepyfile(test_it="def test_it(kingpost_client): pass\n")

    result = run(project)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*override the fixture `kingpost_app`*"])


def test_a_project_without_an_app_is_told_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_it(kingpost_client): pass\n")

    result = run(pytester)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no app was named*"])


def test_tests_that_use_no_fixture_of_ours_do_not_import_the_framework(
    pytester: pytest.Pytester,
) -> None:
    passes(
        pytester,
        """
        import sys

        def test_it():
            assert "kingpost._native" not in sys.modules
            assert "kingpost.server" not in sys.modules
        """,
    )


def test_beside_pytest_flask_both_frameworks_are_tested(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(site=APP)
    Path(pytester.path, "pyproject.toml").write_text('[tool.kingpost]\napp = "site:app"\n')
    pytester.makeconftest(
        """
        import flask
        import pytest

        @pytest.fixture
        def app():
            theirs = flask.Flask("theirs")
            theirs.add_url_rule("/", view_func=lambda: "from flask")
            return theirs

        @pytest.fixture
        def kingpost_app():
            from kingpost import App
            ours = App()
            ours.get("/")(lambda: "from kingpost")
            return ours
        """
    )
    passes(
        pytester,
        """
        def test_theirs(client):
            assert client.get("/").data == b"from flask"

        def test_ours(kingpost_client, kingpost_server):
            assert kingpost_client.get("/").text == "from kingpost"
        """,
        "flask",
        tests=2,
    )


def test_beside_pytest_django_both_frameworks_are_tested(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        app=APP,
        django_settings="""
        SECRET_KEY = "x" * 50
        ROOT_URLCONF = "django_urls"
        DATABASES = {}
        ALLOWED_HOSTS = ["*"]
        """,
        django_urls="""
        from django.http import HttpResponse
        from django.urls import path
        urlpatterns = [path("", lambda request: HttpResponse("from django"))]
        """,
    )
    passes(
        pytester,
        """
        def test_theirs(client):
            assert client.get("/").content == b"from django"

        def test_ours(kingpost_client, kingpost_server):
            assert kingpost_client.get("/").text == "from app.py"
        """,
        "django",
        "--ds",
        "django_settings",
        tests=2,
    )
