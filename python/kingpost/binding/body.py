"""The body of a route: one value of one type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from kingpost.binding.validate import broken_rules
from kingpost.errors import FieldError, UnsupportedMediaType
from kingpost.http.media import json
from kingpost.http.request import Request
from kingpost.schema.annotation import bare, is_union, list_of, spelled
from kingpost.schema.decode import Decoder
from kingpost.schema.registry import codec_of

if TYPE_CHECKING:
    from kingpost.http.media import Codec

JSON: Final = "application/json"


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


class TypedBody:
    """Decodes the body of one route: JSON, or what a codec reads that was registered.

    Args:
        annotation: what JSON can become.
        codecs: what else is read, by its media type without parameters.

    Raises:
        TypeError: no JSON becomes it, and says why.
    """

    def __init__(self, annotation: Any, codecs: Mapping[str, Codec]) -> None:
        self.words = spelled(bare(annotation).type)
        self.decoder = Decoder(annotation)
        self.media_types = (JSON, *(each for each in codecs if each != JSON))
        self.formats = " or ".join(("JSON", *self.media_types[1:]))
        self._codecs = codecs
        self._decode = self.decoder.decode
        self.native: Callable[[bytes], Any] = (
            self._decode if self.decoder.is_shallow else self._bounded
        )

    def _bounded(self, document: bytes) -> Any:
        return json.decode(document, self._decode)

    def read(self, request: Request) -> tuple[Any, list[FieldError]]:
        """The value, or what is wrong with it.

        Raises:
            UnsupportedMediaType: nothing here reads what the body is said to be.
            BadRequest: it is malformed.
        """
        media_type = request.content_type
        if media_type is not None and media_type.is_json:
            return self._read_json(request.body)
        codec = None if media_type is None else self._codecs.get(media_type.essence)
        if codec is None:
            raise self._unread(request)
        # Few Apps read anything else than JSON.
        from kingpost.http.media.reading import as_json

        return self._read_json(as_json(codec, request.body))

    def _read_json(self, document: bytes) -> tuple[Any, list[FieldError]]:
        try:
            return json.decode(document, self._decode), []
        except (ValueError, TypeError) as refusal:
            value = json.decode(document)
            return None, broken_rules(self.decoder.type, value, refusal, ("body",))

    def _unread(self, request: Request) -> UnsupportedMediaType:
        """A browser's form cannot say `application/json`, so demanding what is read keeps other sites' forms out as well."""
        field = request.headers.get("content-type")
        said = f"of type {field[:80]!r}" if field else "without a content-type"
        return UnsupportedMediaType(
            f"the body is {said}; send it with content-type: {' or '.join(self.media_types)}",
            code="media.wrong-content-type" if self._codecs else "json.wrong-content-type",
            # RFC 9110 section 15.5.16: Accept in a 415 says what would have been read.
            headers={"Accept": ", ".join(self.media_types)},
        )
