"""From a handler's signature to a plan: for each parameter its source, decided once, at start-up."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec

from kingpost.binding.choose import Chooser
from kingpost.binding.fields import TheMultipart, is_of_form, takes_files
from kingpost.binding.offer import Offer
from kingpost.binding.signature import Signature
from kingpost.binding.sources import Binder, Errors, FromBody, Source, TheBodyStream
from kingpost.errors import ValidationError
from kingpost.http.request import Request
from kingpost.schema.annotation import spelled
from kingpost.schema.problems import MAX_ERRORS

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Argument(msgspec.Struct, frozen=True):
    """One parameter and its source."""

    name: str
    keyword: str | None
    source: Source


class Binding(msgspec.Struct, frozen=True):
    """How the arguments of one handler are made."""

    signature: Signature
    arguments: tuple[Argument, ...]

    @property
    def streams(self) -> bool:
        """Whether the body comes unread."""
        return any(
            isinstance(argument.source, TheBodyStream | TheMultipart)
            or takes_files(argument.source)
            for argument in self.arguments
        )

    @property
    def takes_raw_body(self) -> bool:
        """Whether the handler reads the body itself, as it was sent."""
        return any(isinstance(argument.source, TheBodyStream) for argument in self.arguments)

    @property
    def takes_files(self) -> bool:
        """Whether files of a form are received before the handler is called."""
        return any(takes_files(argument.source) for argument in self.arguments)

    @property
    def takes_a_form(self) -> bool:
        """Whether the body is a form, received or unread."""
        return any(
            isinstance(argument.source, TheMultipart) or is_of_form(argument.source)
            for argument in self.arguments
        )

    @property
    def binders(self) -> list[Binder] | None:
        """The engine's short cuts, or None where one argument has none."""
        found: list[Binder] = []
        for argument in self.arguments:
            binder = argument.source.binder(argument.keyword)
            if binder is None:
                return None
            found.append(binder)
        return found

    def slow(self, request: Request) -> Arguments:
        """The arguments for a request; the single truth about what is wrong with one.

        Raises:
            ValidationError: 422 with every rule that failed.
            HTTPError: 404 where the path does not convert, 400 for a malformed body or query, 415.
        """
        errors: Errors = []
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for argument in self.arguments:
            value = argument.source.read(request, errors)
            if argument.keyword is None:
                positional.append(value)
            else:
                named[argument.keyword] = value
        if errors:
            raise ValidationError(errors=errors[:MAX_ERRORS])
        return tuple(positional), named


def bind(signature: Signature, offer: Offer) -> Binding:
    """Decide where each parameter comes from.

    Raises:
        SignatureError: a parameter cannot be served; the message has the signature, the remedy the spellings that would work.
    """
    arguments = tuple(
        Argument(
            parameter.name, keyword_of(parameter), Chooser(signature, offer, parameter).source()
        )
        for parameter in signature.parameters
    )
    check_path_is_taken(signature, offer)
    check_one_body(signature, arguments)
    return Binding(signature, arguments)


def keyword_of(parameter: inspect.Parameter) -> str | None:
    return parameter.name if parameter.kind is parameter.KEYWORD_ONLY else None


def check_path_is_taken(
    signature: Signature, offer: Offer, others: Sequence[inspect.Parameter] = ()
) -> None:
    """Refuses a parameter of the path that neither the handler takes nor any of `others`: its providers' parameters."""
    parameters = (*signature.parameters, *others)
    names = {parameter.name for parameter in parameters}
    if any(
        parameter.annotation is Request or parameter.name == "request" for parameter in parameters
    ):
        # Whoever has the request can read request.path_params.
        return
    for name in offer.path:
        if name not in names:
            raise signature.refused(
                "binding.missing-path-parameter",
                f"the path has {{{name}}}, and no parameter is called that",
                f"add {name}: {spelled(offer.path[name].type)}",
                "take request: Request",
            )


def check_one_body(signature: Signature, arguments: Sequence[Argument]) -> None:
    bodies = [
        argument.name
        for argument in arguments
        if isinstance(argument.source, FromBody | TheBodyStream | TheMultipart)
    ]
    # Several parameters may be fields of one form; together they are the body.
    bodies += [argument.name for argument in arguments if is_of_form(argument.source)][:1]
    if len(bodies) > 1:
        raise signature.refused(
            "binding.two-bodies",
            f"{' and '.join(bodies)} would both be the body, and a request has one",
            "make one class that has both as fields",
        )
