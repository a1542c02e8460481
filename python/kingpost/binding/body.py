"""The JSON body of a route: one value of one type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

from kingpost.binding.validate import broken_rules
from kingpost.errors import FieldError, UnsupportedMediaType
from kingpost.http.media import json
from kingpost.http.request import Request
from kingpost.schema.annotation import bare, is_union, list_of, spelled
from kingpost.schema.decode import Decoder
from kingpost.schema.registry import codec_of


def is_model(kind: Any) -> bool:
    """Whether a type is read from a body without being told to: classes with named fields, dict, lists and unions of them."""
    origin = get_origin(kind) or kind
    if origin in (dict, Mapping):
        return True
    if is_union(kind):
        return all(is_model(bare(member).type) for member in get_args(kind))
    listed = list_of(kind)
    if listed is not None:
        return listed[1] is not Any and is_model(bare(listed[1]).type)
    codec = codec_of(origin)
    # A NamedTuple is a list in JSON: it is read from where the signature says.
    return codec is not None and not (isinstance(origin, type) and issubclass(origin, tuple))


class JsonBody:
    """Decodes the JSON body of one route.

    Args:
        annotation: what JSON can become.

    Raises:
        TypeError: it cannot, and says why.
    """

    def __init__(self, annotation: Any) -> None:
        self.words = spelled(bare(annotation).type)
        self.decoder = Decoder(annotation)
        self._decode = self.decoder.decode
        self.native: Callable[[bytes], Any] = (
            self._decode if self.decoder.is_shallow else self._bounded
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
        except (ValueError, TypeError) as refusal:
            value = json.decode(document)
            return None, broken_rules(self.decoder.type, value, refusal, ("body",))


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
