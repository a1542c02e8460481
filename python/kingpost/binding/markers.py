"""Markers that say where a parameter comes from, when its type alone would not: `Annotated[list[int], Body()]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeAlias, TypeVar

Security: TypeAlias = Literal["apiKey", "basic", "bearer"]
"""How a header field or a cookie says who asks; `basic` and `bearer` are for `Authorization` (RFC 9110 section 11)."""


class Path:
    """The parameter stands in the path, which its name says already; the marker makes a mistake in either one loud.

    Args:
        description: a sentence for people, for OpenAPI.
    """

    __slots__ = ("description",)

    def __init__(self, *, description: str = "") -> None:
        self.description = description

    def __repr__(self) -> str:
        return "Path()"


class Query:
    """The parameter is read from the query; a class with named fields is read from several: `?filter[size]=3`.

    Args:
        alias: its name there, when that is no Python name: `Annotated[int, Query(alias="page-size")]`.
        separator: what stands between the values of a list that is sent as one: `Query(separator=",")` for `?tag=a,b`.
        flat: the fields of a class stand by themselves, `?size=3`, not below the parameter's name.
        description: a sentence for people, for OpenAPI.
    """

    __slots__ = ("alias", "description", "flat", "separator")

    def __init__(
        self,
        *,
        alias: str | None = None,
        separator: str | None = None,
        flat: bool = False,
        description: str = "",
    ) -> None:
        self.alias = alias
        self.description = description
        self.separator = separator
        self.flat = flat

    def __repr__(self) -> str:
        given = {"alias": self.alias, "separator": self.separator, "flat": self.flat or None}
        return f"Query({', '.join(f'{name}={value!r}' for name, value in given.items() if value is not None)})"


class _Named:
    __slots__ = ("description", "name", "security")

    def __init__(
        self, name: str | None = None, *, description: str = "", security: Security | None = None
    ) -> None:
        self.name = name
        self.description = description
        self.security = security

    def __repr__(self) -> str:
        said = [] if self.name is None else [repr(self.name)]
        said += [] if self.security is None else [f"security={self.security!r}"]
        return f"{type(self).__name__}({', '.join(said)})"


class Header(_Named):
    """The parameter is read from a header field.

    Args:
        name: the field's; the parameter's own name with `-` for `_` if not said.
        description: a sentence for people, for OpenAPI.
        security: how it says who asks, for OpenAPI: `"apiKey"`, or `"basic"` of `Authorization`, which is `"bearer"` if not said.
    """

    __slots__ = ()


class Cookie(_Named):
    """The parameter is read from a cookie.

    Args:
        name: the cookie's; the parameter's own name if not said.
        description: a sentence for people, for OpenAPI.
        security: `"apiKey"` where it says who asks, for OpenAPI.
    """

    __slots__ = ()


class File:
    """The parameter is read from a file of a form.

    Args:
        alias: its name there, when that is no Python name.
        description: a sentence for people, for OpenAPI.
    """

    __slots__ = ("alias", "description")

    def __init__(self, *, alias: str | None = None, description: str = "") -> None:
        self.alias = alias
        self.description = description

    def __repr__(self) -> str:
        return "File()" if self.alias is None else f"File(alias={self.alias!r})"


M = TypeVar("M")
# Another one, so that `Form.empty` says nothing of the model of a `Form` that has none.
N = TypeVar("N")


class Form(Generic[M]):
    """A form that was filled in, as a marker and as a type.

    As a marker, `Annotated[str, Form()]` is one field of a form. As a type, `form: Form[Contact]` is the whole of it: the handler is called
    whether or not everything was filled in right, and looks at `is_valid`.

    Args:
        alias: the field's name, when that is no Python name.

    Attributes:
        errors: for each field what is wrong with it, `""` for what is wrong with all of them together.
        data: what was filled in, as text, to show it again.
    """

    __slots__ = ("_value", "alias", "data", "errors")

    def __init__(self, *, alias: str | None = None) -> None:
        self.alias = alias
        self.errors: Mapping[str, Sequence[str]] = {}
        self.data: Mapping[str, str] = {}
        self._value: M | None = None

    @property
    def is_valid(self) -> bool:
        """Whether everything was filled in right."""
        return not self.errors and self._value is not None

    @property
    def value(self) -> M:
        """What was filled in.

        Raises:
            ValueError: something is wrong with it; look at `is_valid` first.
        """
        if self._value is None:
            raise ValueError("this form was not filled in right: look at form.is_valid first")
        return self._value

    @classmethod
    def filled(
        cls, value: M | None, *, errors: Mapping[str, Sequence[str]], data: Mapping[str, str]
    ) -> Form[M]:
        """A form that came with a request."""
        form: Form[M] = cls()
        form._value = value
        form.errors = errors
        form.data = data
        return form

    @staticmethod
    def empty(model: type[N], /) -> Form[N]:
        """A form of a model that nobody has filled in, for a page that shows it first."""
        del model
        return Form[N]()

    def __repr__(self) -> str:
        return "Form()" if self.alias is None else f"Form(alias={self.alias!r})"


class Body:
    """The parameter is the JSON body: for types that would be read from the query otherwise, such as `list[int]`.

    Args:
        description: a sentence for people, for OpenAPI.
    """

    __slots__ = ("description",)

    def __init__(self, *, description: str = "") -> None:
        self.description = description

    def __repr__(self) -> str:
        return "Body()"


class Depends:
    """The parameter is what a function returns, which is called with what it names itself: `Annotated[User, Depends(current_user)]`.

    Args:
        provider: `def` or `async def`, with `yield` where something is to be done after the answer.
    """

    __slots__ = ("provider",)

    def __init__(self, provider: Callable[..., Any], /) -> None:
        self.provider = provider

    def __repr__(self) -> str:
        return f"Depends({getattr(self.provider, '__name__', self.provider)})"


class Injected:
    """Stands as the default of a parameter that a provider fills, so that callers need not pass it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "injected()"


def injected() -> Any:
    """The default of a parameter that a provider fills, in a call that is made later.

    Written as `db: Session = injected()`. Whoever adds the call to BackgroundTasks does not pass it; a provider makes it, anew, for the call.
    """
    return Injected()


Marker = Path | Query | Header | Cookie | Form[Any] | File | Body | Depends
MARKERS = (Path, Query, Header, Cookie, Form, File, Body, Depends)
SAYING = (Path, Query, Header, Cookie, File, Body)
"""Markers that describe a parameter, too."""
