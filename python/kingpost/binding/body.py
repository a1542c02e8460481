"""The JSON body of a route: one value of one type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_origin

import msgspec
from msgspec import inspect as described

from kingpost.binding.annotation import bare, is_model_class, is_union, list_of, spelled
from kingpost.binding.validate import broken_rules
from kingpost.errors import FieldError, UnsupportedMediaType
from kingpost.http.media import json
from kingpost.http.request import Request


def is_model(kind: Any) -> bool:
    """Whether a type is read from a body without being told to: Struct, dataclass, TypedDict, dict, lists and unions of them."""
    kind = get_origin(kind) if get_origin(kind) in (dict, Mapping) else kind
    if kind in (dict, Mapping):
        return True
    if is_union(kind):
        return all(is_model(bare(member).type) for member in kind.__args__)
    listed = list_of(kind)
    if listed is not None:
        return listed[1] is not Any and is_model(bare(listed[1]).type)
    return is_model_class(kind)


class JsonBody:
    """Decodes the JSON body of one route.

    Args:
        annotation: what msgspec can decode.

    Raises:
        TypeError: it cannot, and says why.
    """

    def __init__(self, annotation: Any) -> None:
        self.words = spelled(bare(annotation).type)
        self._description = described.type_info(annotation)
        check_known(self._description)
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(annotation)
        self._decode = decoder.decode
        self.native: Callable[[bytes], Any] = (
            self._decode if is_shallow(self._description) else self._bounded
        )

    def _bounded(self, document: bytes) -> Any:
        return json.decode(document, self._decode)

    def read(self, request: Request) -> tuple[Any, list[FieldError]]:
        """The value, or what is wrong with it.

        Raises:
            UnsupportedMediaType: the body is said to be something else than JSON.
            BadRequest: it is no JSON.
        """
        check_media_type(request)
        document = request.body
        try:
            return json.decode(document, self._decode), []
        except msgspec.ValidationError as refusal:
            value = json.decode(document)
            return None, broken_rules(self._description, value, refusal, ("body",))


def check_known(kind: described.Type, inside: tuple[object, ...] = ()) -> None:
    """Raises TypeError for a class that is somewhere in a type and that no JSON can become."""
    if isinstance(kind, described.CustomType):
        raise TypeError(f"no JSON becomes {spelled(kind.cls)}")
    model = getattr(kind, "cls", None)
    if model is not None and model in inside:
        return
    for part in parts(kind):
        check_known(part, (*inside, model))


def check_media_type(request: Request) -> None:
    """A browser's form cannot say `application/json`, so demanding it keeps other sites' forms out as well."""
    media_type = request.content_type
    if media_type is not None and media_type.is_json:
        return
    field = request.headers.get("content-type")
    said = f"of type {field[:80]!r}" if field else "without a content-type"
    raise UnsupportedMediaType(
        f"the body is {said}; send it with content-type: application/json",
        code="json.wrong-content-type",
        # RFC 9110 section 15.5.16: Accept in a 415 says what would have been read.
        headers={"Accept": "application/json"},
    )


def is_shallow(kind: described.Type, inside: tuple[object, ...] = ()) -> bool:
    """Whether the type itself bounds how deep a document can be, so that nobody needs to count."""
    if (
        isinstance(kind, described.AnyType | described.RawType | described.CustomType)
        or len(inside) > 32
    ):
        return False
    # Unknown members of a model are skipped, however deep: msgspec's own recursion is bounded, and nothing of them is kept.
    model = getattr(kind, "cls", kind)
    return model not in inside and all(is_shallow(part, (*inside, model)) for part in parts(kind))


def parts(kind: described.Type) -> list[described.Type]:
    found: list[described.Type] = []
    for name in ("type", "item_type", "key_type", "value_type"):
        part = getattr(kind, name, None)
        if isinstance(part, described.Type):
            found.append(part)
    for name in ("types", "item_types"):
        found.extend(getattr(kind, name, ()))
    found.extend(field.type for field in getattr(kind, "fields", ()))
    return found
