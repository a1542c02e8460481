import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kingpost.errors import TargetError
from kingpost.server.target import find_target, load_target

Write = Callable[[str, str], Path]


class App:
    """Stands for the real one; targets are looked for by class."""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes files into a project folder; what tests import of it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    path, modules = sys.path[:], set(sys.modules)

    def write_file(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    yield write_file
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def load(text: str | None) -> App:
    return load_target(find_target(text), App)


def refusal(text: str | None) -> TargetError:
    with pytest.raises(TargetError) as caught:
        load(text)
    return caught.value


@pytest.fixture(autouse=True)
def app_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects of these tests get the class by `import stand_in`."""
    module = types.ModuleType("stand_in")
    module.App = App  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "stand_in", module)


ONE = "from stand_in import App\napp = App()\n"


@pytest.mark.parametrize(
    "text", ["hello_1.py", "./hello_1.py", "hello_1", "hello_1:app", "hello_1.py:app"]
)
def test_a_file_can_be_named_in_every_way(write: Write, text: str) -> None:
    write("hello_1.py", ONE)

    assert isinstance(load(text), App)


def test_an_app_in_a_package_is_named_by_module_and_name(write: Write) -> None:
    write("shop_1/__init__.py", "")
    write("shop_1/web.py", ONE)

    assert load("shop_1.web:app") is load("shop_1.web")


def test_a_file_inside_a_package_is_imported_by_its_full_name(write: Write) -> None:
    write("shop_2/__init__.py", "")
    write("shop_2/web.py", "from . import other\n" + ONE)
    write("shop_2/other.py", "")

    load("shop_2/web.py")

    assert "shop_2.web" in sys.modules


def test_an_absolute_path_works(write: Write) -> None:
    file = write("elsewhere/hello_2.py", ONE)

    assert isinstance(load(str(file)), App)


def test_a_function_that_returns_an_app_is_called(write: Write) -> None:
    write("shop_3.py", "from stand_in import App\ndef create_app(debug=False): return App()\n")

    assert isinstance(load("shop_3:create_app"), App)


def test_an_attribute_of_an_object_can_be_named(write: Write) -> None:
    write("shop_4.py", ONE + "class holder: inner = app\ndel app\n")

    assert isinstance(load("shop_4:holder.inner"), App)


def test_the_only_app_is_taken_whatever_its_name(write: Write) -> None:
    write("hello_3.py", "from stand_in import App\nsite = other_name = App()\n")

    assert isinstance(load("hello_3.py"), App)


def test_of_several_apps_the_one_called_app_is_taken(write: Write) -> None:
    write("hello_4.py", ONE + "admin = App()\n")

    assert load("hello_4.py") is sys.modules["hello_4"].app


def test_without_a_target_pyproject_comes_first(write: Write) -> None:
    write("pyproject.toml", '[tool.kingpost]\napp = "shop_5:site"\n')
    write("shop_5.py", "from stand_in import App\nsite = App()\n")
    write("app.py", "raise AssertionError")

    assert load(None) is sys.modules["shop_5"].site


def test_pyproject_is_found_from_a_folder_below(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("pyproject.toml", '[tool.kingpost]\napp = "shop_6:app"\n')
    write("shop_6.py", ONE)
    (file.parent / "docs").mkdir()
    monkeypatch.chdir(file.parent / "docs")

    assert isinstance(load(None), App)


@pytest.mark.parametrize("names", [["app.py", "main.py"], ["main.py"]])
def test_without_pyproject_app_py_comes_before_main_py(write: Write, names: list[str]) -> None:
    for name in names:
        write(name, "")

    assert find_target(None).text == names[0]


def test_a_pyproject_without_our_table_changes_nothing(write: Write) -> None:
    write("pyproject.toml", '[project]\nname = "x"\n')
    write("main.py", "")

    assert find_target(None).text == "main.py"


def test_nothing_named_and_nothing_there_is_refused_with_what_to_type(write: Write) -> None:
    write("shop.py", "")

    error = refusal(None)

    assert error.code == "target.none"
    assert "kingpost dev shop.py" in error.remedy


def test_a_mistyped_file_is_answered_with_the_nearest(write: Write) -> None:
    write("hello_5.py", ONE)

    error = refusal("helo_5.py")

    assert error.code == "target.not-found"
    assert error.remedy == "did you mean hello_5.py?"


def test_a_path_without_its_suffix_is_answered_with_it(write: Write) -> None:
    write("src/hello_6.py", ONE)

    assert refusal("src/hello_6").remedy == "did you mean src/hello_6.py?"


def test_a_mistyped_module_is_answered_with_the_nearest(write: Write) -> None:
    write("shop_7/__init__.py", "")
    write("shop_7/website.py", ONE)

    error = refusal("shop_7.webside:app")

    assert error.code == "target.not-found"
    assert error.remedy == "did you mean shop_7.website?"


def test_a_mistyped_name_is_answered_with_the_nearest(write: Write) -> None:
    write("hello_7.py", "from stand_in import App\napplication = App()\n")

    error = refusal("hello_7:aplication")

    assert error.code == "target.no-such-name"
    assert error.remedy == "did you mean hello_7:application?"


def test_a_module_without_an_app_is_refused(write: Write) -> None:
    write("hello_8.py", "")

    error = refusal("hello_8.py")

    assert error.code == "target.no-app"
    assert error.remedy == "make one there: app = App()"


def test_a_module_without_an_app_but_with_a_factory_names_it(write: Write) -> None:
    write("hello_9.py", "def create_app(): pass\n")

    assert refusal("hello_9.py").remedy == "a function makes it: name it as hello_9.py:create_app"


def test_two_apps_of_other_names_are_refused_with_both(write: Write) -> None:
    write("hello_10.py", "from stand_in import App\nshop = App()\nadmin = App()\n")

    error = refusal("hello_10")

    assert error.code == "target.two-apps"
    assert "admin, shop" in error.message
    assert error.remedy == "say which, for example hello_10:admin"


@pytest.mark.parametrize(
    ("source", "said"),
    [("x = 3\n", "is a int, not an App"), ("class x: pass\n", "is the class x, not an App")],
)
def test_something_that_is_no_app_is_refused(write: Write, source: str, said: str) -> None:
    name = f"hello_{abs(hash(source)) % 10**6 + 100}"
    write(f"{name}.py", source)

    error = refusal(f"{name}:x")

    assert error.code == "target.wrong-type"
    assert said in error.message


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("async def make(): pass\n", "`async def`"),
        ("def make(x): pass\n", "cannot be called without arguments"),
        ("def make(): return 3\n", "returned a int, not an App"),
    ],
)
def test_a_factory_that_makes_no_app_is_refused(write: Write, source: str, said: str) -> None:
    name = f"factory_{abs(hash(source)) % 10**6}"
    write(f"{name}.py", source)

    error = refusal(f"{name}:make")

    assert error.code == "target.factory"
    assert said in error.message


@pytest.mark.parametrize("text", ["hello.py:", ":app", "hello:1", "he llo", "a:b:c", "-x"])
def test_what_cannot_be_a_target_is_refused(write: Write, text: str) -> None:
    assert refusal(text).code in ("target.malformed", "target.not-found")


def test_a_file_that_cannot_be_imported_by_its_name_is_refused(write: Write) -> None:
    write("my-app.py", ONE)

    error = refusal("my-app.py")

    assert error.code == "target.malformed"
    assert "my_app.py" in error.remedy


def test_a_file_that_hides_a_module_in_use_is_refused(write: Write) -> None:
    write("asyncio.py", ONE)

    error = refusal("asyncio.py")

    assert error.code == "target.hidden"
    assert error.remedy == "rename it, for example to my_asyncio.py"


def test_a_module_that_the_users_code_misses_is_not_our_refusal(write: Write) -> None:
    write("hello_11.py", "import surely_not_installed\n")

    with pytest.raises(ModuleNotFoundError, match="surely_not_installed"):
        load("hello_11.py")


def test_an_error_in_the_users_code_is_the_users(write: Write) -> None:
    write("hello_12.py", "1 / 0\n")

    with pytest.raises(ZeroDivisionError):
        load("hello_12.py")


@pytest.mark.parametrize("text", ["[tool.kingpost]\napp = 3\n", "[tool\n"])
def test_a_pyproject_that_says_nonsense_is_refused(write: Write, text: str) -> None:
    write("pyproject.toml", text)

    assert refusal(None).code == "target.pyproject"
