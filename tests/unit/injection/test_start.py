"""What injection refuses when the App starts, and with which words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import pytest

from kingpost import App, Blueprint, Depends, Form, Request, Response, Struct
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")


class Session: ...


class AsyncSession: ...


class Repository(Generic[T]): ...


class Todo(Struct):
    title: str


def refusal(app: App) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")
    return refused.value


def session() -> Session:
    return Session()


def test_a_cycle_is_told_with_its_path() -> None:
    app = App()

    class One: ...

    class Two: ...

    class Three: ...

    def one(two: Two) -> One: ...  # type: ignore[empty-body]  # never called
    def two(three: Three) -> Two: ...  # type: ignore[empty-body]  # never called
    def three(two: Two) -> Three: ...  # type: ignore[empty-body]  # never called
    def home(one: One) -> str: ...  # type: ignore[empty-body]  # never called

    for function in (one, two, three, home):
        function.__annotations__ = {
            name: {"One": One, "Two": Two, "Three": Three, "str": str}[kind]
            for name, kind in function.__annotations__.items()
        }
    for function in (one, two, three):
        app.provide(function)
    app.get("/")(home)

    error = refusal(app)

    assert error.code == "injection.cycle"
    assert "two -> three -> two" in str(error)
    assert len(error.places) == 2


def test_a_generic_that_never_ends_is_a_cycle() -> None:
    app = App()

    @app.provide
    def repository(inner: Repository[list[T]]) -> Repository[T]: ...  # type: ignore[empty-body]  # never called

    @app.get("/")
    def home(repository: Repository[Todo]) -> str: ...  # type: ignore[empty-body]  # never called

    assert refusal(app).code == "injection.cycle"


def test_a_provider_that_is_missing_is_named_by_who_needs_it() -> None:
    app = App()

    @app.provide
    def repository(session: Session, model: type[T]) -> Repository[T]: ...  # type: ignore[empty-body]  # never called

    @app.get("/")
    def home(todos: Repository[Todo]) -> str: ...  # type: ignore[empty-body]  # never called

    error = refusal(app)

    assert error.code == "binding.unknown-type"
    assert "nothing says where session: Session comes from" in str(error)
    assert str(error).startswith("repository(")
    assert "or app.provide(f), with a function f that returns Session" in str(error)


@pytest.mark.parametrize("kind", [bytes, Form])
def test_no_provider_is_proposed_for_what_none_may_make(kind: type[object]) -> None:
    app = App()

    def home(value: Any) -> str:
        return ""

    home.__annotations__["value"] = kind
    app.post("/")(home)

    error = refusal(app)

    assert error.code == "binding.unknown-type"
    assert "app.provide" not in str(error)


def test_a_class_that_get_cannot_send_may_want_a_provider() -> None:
    app = App()

    @app.get("/")
    def home(todo: Todo) -> str:
        return todo.title

    error = refusal(app)

    assert error.code == "binding.body-on-get"
    assert "or app.provide(f), with a function f that returns Todo" in str(error)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_class_of_a_sibling_blueprint_is_never_read_from_a_request(method: str) -> None:
    app, one, two = App(), Blueprint("one", prefix="/one"), Blueprint("two", prefix="/two")

    class User(Struct):
        name: str

    def user() -> User:
        return User("ann")

    def show(user: User) -> str:
        return user.name

    user.__annotations__["return"] = User
    show.__annotations__["user"] = User
    one.provide(user)
    two.route("/", methods=[method])(show)
    app.include(one)
    app.include(two)
    one.get("/")(lambda: "x")

    error = refusal(app)

    assert error.code == "injection.not-visible"
    assert len(error.places) == 2
    assert "test_start.py" in str(error.places[1])


def test_a_blueprint_that_nobody_includes_is_known_as_well() -> None:
    app, forgotten = App(), Blueprint("forgotten")

    class Account(Struct):
        name: str

    def account() -> Account:
        return Account("ann")

    def show(account: Account) -> str:
        return account.name

    account.__annotations__["return"] = Account
    show.__annotations__["account"] = Account
    forgotten.provide(account)
    app.post("/")(show)

    assert refusal(app).code == "injection.not-visible"


def test_a_provider_that_was_forgotten_leaves_a_body_on_get() -> None:
    app = App()

    @app.get("/")
    def show(user: Todo) -> str:
        return user.title

    assert refusal(app).code == "binding.body-on-get"


def test_a_type_or_none_is_a_type_of_its_own() -> None:
    app = App()

    class Visitor(Struct):
        name: str

    def visitor() -> Visitor:
        return Visitor("ann")

    def show(visitor: Any) -> str:
        return "x"

    visitor.__annotations__["return"] = Visitor
    show.__annotations__["visitor"] = Visitor | None
    app.provide(visitor)
    app.post("/")(show)

    error = refusal(app)

    assert error.code == "injection.not-visible"
    assert "with None it is a type of its own" in str(error)


def test_who_may_be_nobody_does_not_make_somebody() -> None:
    app = App()

    class Guest(Struct):
        name: str

    def guest() -> Any:
        return None

    def show(guest: Any) -> str:
        return "x"

    guest.__annotations__["return"] = Guest | None
    show.__annotations__["guest"] = Guest
    app.provide(guest)
    app.post("/")(show)

    assert refusal(app).code == "injection.not-visible"


def test_two_bodies_through_a_provider_are_refused() -> None:
    app = App()

    class Author(Struct):
        name: str

    def author(sent: Any) -> Session:
        return Session()

    author.__annotations__["sent"] = Author
    app.provide(author)

    @app.post("/")
    def add(todo: Todo, session: Session) -> str:
        return ""

    assert refusal(app).code == "binding.two-bodies"


def test_two_bodies_through_a_hook_are_refused() -> None:
    app = App()

    @app.before_request
    def look(todo: Todo) -> None: ...

    @app.post("/")
    def add(todo: Todo) -> str:
        return ""

    assert refusal(app).code == "binding.two-bodies"


def test_what_is_made_at_start_cannot_ask_for_a_request() -> None:
    app = App()
    app.provide(session)

    @app.provide(scope="app")
    def cache(session: Session) -> AsyncSession:
        return AsyncSession()

    @app.get("/")
    async def home(cache: AsyncSession) -> str:
        return ""

    error = refusal(app)

    assert error.code == "injection.scope"
    assert 'scope="app"' in str(error.remedy)


def test_a_lifespan_cannot_ask_for_a_request() -> None:
    app = App()

    @app.lifespan
    async def opened(request: Request) -> Any:
        yield

    assert refusal(app).code == "injection.scope"


def test_a_name_for_checkers_is_refused_with_the_remedy() -> None:
    app = App()

    @app.provide
    def connection() -> Connection: ...  # type: ignore[empty-body]  # never called

    @app.get("/")
    def home() -> str:
        return ""

    error = refusal(app)

    assert error.code == "binding.unresolved-name"
    assert "import Connection outside of `if TYPE_CHECKING:`" in str(error.remedy)


def handler(session: Session) -> str:
    return ""


async def async_handler(session: Session) -> str:
    return ""


def test_an_async_def_that_names_what_blocks_is_refused() -> None:
    def told(*register: Callable[[App], Any]) -> ConfigurationError | None:
        app = App()
        app.provide(async_type=AsyncSession)(session)
        for each in register:
            each(app)
        try:
            compile_app(app, mode="test")
        except ConfigurationError as error:
            return error
        return None

    async def needs(session: Session) -> Repository[int]: ...  # type: ignore[empty-body]  # never called
    async def hook(session: Session) -> None: ...

    def home(repository: Repository[int]) -> str: ...  # type: ignore[empty-body]  # never called

    refused = [
        told(lambda app: app.get("/")(async_handler)),
        told(lambda app: app.provide(needs), lambda app: app.get("/")(home)),
        told(lambda app: app.before_request(hook), lambda app: app.get("/")(handler)),
    ]

    assert [error.code for error in refused if error] == ["injection.blocks"] * 3
    assert all("ask for AsyncSession; or write `def`" in str(error) for error in refused)
    assert told(lambda app: app.get("/")(handler)) is None


def test_a_hook_cannot_ask_for_what_is_finished() -> None:
    app = App()

    @app.provide
    def opened() -> Iterator[Session]:
        yield Session()

    @app.after_request
    def told(session: Session) -> None: ...

    app.get("/")(lambda: "x")

    assert refusal(app).code == "injection.finished"


def test_depends_takes_a_function() -> None:
    app = App()

    @app.get("/")
    def home(session: Annotated[Session, Depends(session())]) -> str:  # type: ignore[arg-type]  # the mistake itself
        return ""

    assert refusal(app).code == "injection.no-function"


def test_a_scope_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refused:
        App().provide(scope="process")  # type: ignore[call-overload]  # the mistake itself

    assert refused.value.code == "injection.bad-scope"


def test_all_that_is_wrong_is_told_at_once() -> None:
    app = App()
    app.provide(session)
    app.provide(session)

    part = Blueprint("part", prefix="/part")
    part.get("/")(lambda: "x")
    app.include(part)

    @part.provide
    def text() -> str:
        return ""

    error = refusal(app)

    assert error.code == "injection.two-providers"
    assert "problem 2 of 2" in "".join(getattr(error, "__notes__", ()))


def test_the_rest_of_a_hook_that_yields_is_refused() -> None:
    app = App()

    @app.before_request
    def hook() -> Iterator[int]:
        yield 1

    app.get("/")(lambda: "x")

    assert refusal(app).code == "binding.hook"


def no_arguments() -> Response[str]: ...  # type: ignore[empty-body]  # never called
def three(a: Any, b: Any, c: Any) -> Response[str]: ...  # type: ignore[empty-body]  # never called
def named(request: Request, *, call_next: Any) -> Response[str]: ...  # type: ignore[empty-body]  # never called
def one_and_named(request: Request, *, more: int = 1) -> Response[str]: ...  # type: ignore[empty-body]  # never called
def many(request: Request, call_next: Any) -> Iterator[str]:
    yield ""


@pytest.mark.parametrize("middleware", [no_arguments, three, named, one_and_named, many])
def test_what_is_no_middleware_is_refused(middleware: Any) -> None:
    app = App(middleware=[middleware])
    app.get("/")(lambda: "x")

    assert refusal(app).code == "binding.middleware"
