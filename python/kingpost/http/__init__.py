"""What a request says and what a response is. No sockets and no routing: those lie below and above."""

from kingpost.http.accept import MediaRange, best_match, parse_accept, prefers_html
from kingpost.http.headers import Headers, ResponseHeaders
from kingpost.http.media_type import MediaType
from kingpost.http.multidict import MultiDict
from kingpost.http.problem import problem, problem_json
from kingpost.http.request import Request
from kingpost.http.response import Redirect, Response
from kingpost.http.stream import BodyStream

__all__ = [
    "BodyStream",
    "Headers",
    "MediaRange",
    "MediaType",
    "MultiDict",
    "Redirect",
    "Request",
    "Response",
    "ResponseHeaders",
    "best_match",
    "parse_accept",
    "prefers_html",
    "problem",
    "problem_json",
]
