"""What is sent of a file depends on the request. That is decided behind all middleware; some has to know it earlier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from kingpost._native import Answer, FileBody
from kingpost.errors import HTTPError
from kingpost.http.request import Request
from kingpost.http.response import Response


async def decided(request: Request, response: Response[Any]) -> Response[Any]:
    """The response that will be sent: conditions are judged, and ranges cut."""
    answer_to: Callable[[Request], Answer] | None = getattr(response, "__answer__", None)
    if answer_to is None:
        return response
    try:
        answer = answer_to(request)
    except HTTPError as error:
        failed: Answer | Awaitable[Answer] = request.dispatch.fail(
            request, request.route_index, error
        )
        answer = failed if isinstance(failed, Answer) else await failed
    made: Response[Any] = Response(None, status=answer.status, headers=answer.headers)
    body = answer.body
    if isinstance(body, bytes):
        made.body = body
    elif isinstance(body, FileBody):
        made.file = body
    else:
        made.chunks = body
    return made
