"""Media types by the ends of file names, the same on every machine: what `mime.types` or a registry says here is not asked.

What is not in the table is `application/octet-stream`, which browsers save and never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

OCTETS: Final = "application/octet-stream"
_TEXT = "; charset=utf-8"

TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Pages and what they are made of. RFC 9239: JavaScript is text/javascript.
        "css": f"text/css{_TEXT}",
        "htm": f"text/html{_TEXT}",
        "html": f"text/html{_TEXT}",
        "js": f"text/javascript{_TEXT}",
        "mjs": f"text/javascript{_TEXT}",
        "map": "application/json",
        "wasm": "application/wasm",
        "webmanifest": "application/manifest+json",
        "xhtml": "application/xhtml+xml",
        # Text and data.
        "atom": "application/atom+xml",
        "csv": f"text/csv{_TEXT}",
        "geojson": "application/geo+json",
        "ics": f"text/calendar{_TEXT}",
        "json": "application/json",
        "jsonl": "application/jsonl",
        "jsonld": "application/ld+json",
        "log": f"text/plain{_TEXT}",
        "md": f"text/markdown{_TEXT}",
        "ndjson": "application/x-ndjson",
        "rss": "application/rss+xml",
        "toml": "application/toml",
        "tsv": f"text/tab-separated-values{_TEXT}",
        "txt": f"text/plain{_TEXT}",
        "vcf": f"text/vcard{_TEXT}",
        "vtt": f"text/vtt{_TEXT}",
        "xml": "application/xml",
        "xsl": "application/xslt+xml",
        "yaml": "application/yaml",
        "yml": "application/yaml",
        # Images.
        "apng": "image/apng",
        "avif": "image/avif",
        "bmp": "image/bmp",
        "gif": "image/gif",
        "heic": "image/heic",
        "ico": "image/x-icon",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "jxl": "image/jxl",
        "png": "image/png",
        "svg": "image/svg+xml",
        "tif": "image/tiff",
        "tiff": "image/tiff",
        "webp": "image/webp",
        # Fonts.
        "otf": "font/otf",
        "ttf": "font/ttf",
        "woff": "font/woff",
        "woff2": "font/woff2",
        # Sound and pictures that move.
        "aac": "audio/aac",
        "avi": "video/x-msvideo",
        "flac": "audio/flac",
        "m3u8": "application/vnd.apple.mpegurl",
        "m4a": "audio/mp4",
        "m4v": "video/mp4",
        "mkv": "video/matroska",
        "mov": "video/quicktime",
        "mp3": "audio/mpeg",
        "mp4": "video/mp4",
        "mpeg": "video/mpeg",
        "oga": "audio/ogg",
        "ogg": "audio/ogg",
        "ogv": "video/ogg",
        "opus": "audio/ogg",
        "ts": "video/mp2t",
        "wav": "audio/wav",
        "weba": "audio/webm",
        "webm": "video/webm",
        # Documents.
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "epub": "application/epub+zip",
        "odp": "application/vnd.oasis.opendocument.presentation",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odt": "application/vnd.oasis.opendocument.text",
        "pdf": "application/pdf",
        "ppt": "application/vnd.ms-powerpoint",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "rtf": "application/rtf",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        # Archives.
        "7z": "application/x-7z-compressed",
        "bz2": "application/x-bzip2",
        "gz": "application/gzip",
        "tar": "application/x-tar",
        "tgz": "application/gzip",
        "whl": "application/zip",
        "xz": "application/x-xz",
        "zip": "application/zip",
        "zst": "application/zstd",
    }
)


def media_type_of_name(name: str) -> str:
    """The Content-Type of a file by its name; text is taken for UTF-8.

    Example:
        >>> media_type_of_name("site/Page.HTML")
        'text/html; charset=utf-8'
    """
    _, dot, extension = name.rpartition(".")
    return TYPES.get(extension.lower(), OCTETS) if dot else OCTETS
