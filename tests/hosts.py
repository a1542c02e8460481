"""What the test client asks an App through, by `--host`, and the tests that cannot be asked so.

The web tests run on the native engine, and again as calls of an ASGI and of a WSGI host. What is listed here does not, each with
the reason; whatever else fails there is a defect.
"""

from __future__ import annotations

from typing import NamedTuple

WEB = {
    "asgi": (
        "tests/programs/",
        "tests/unit/app/",
        "tests/unit/http/",
        "tests/unit/middleware/",
        "tests/unit/testing/test_client.py",
    ),
    "wsgi": (
        "tests/programs/",
        "tests/unit/app/pages/",
        "tests/unit/app/test_answers.py",
        "tests/unit/app/test_background.py",
        "tests/unit/app/test_before_body.py",
        "tests/unit/app/test_choosing.py",
        "tests/unit/app/test_codes.py",
        "tests/unit/app/test_constants.py",
        "tests/unit/app/test_dispatch.py",
        "tests/unit/app/test_formats.py",
        "tests/unit/app/test_hooks.py",
        "tests/unit/http/",
        "tests/unit/middleware/",
        "tests/unit/testing/test_client.py",
    ),
}
"""Where the web tests are that run under a host. Of those of `unit/app`, WSGI's are the ones whose handlers are asked nothing
but requests: the others look at the loop, its tasks and its clock from the test's side, and there that is another loop."""

BOTH = frozenset({"asgi", "wsgi"})
WSGI = frozenset({"wsgi"})

RAW = "it sends bytes that a host reads by itself, and never hands over"
ONE_LOOP = "the test and the handler talk by what belongs to one event loop, and under WSGI the handler's is another"
UNHEARD = "WSGI does not tell an application that its client has left"
WEBSOCKET = "WSGI has no word for WebSocket"
JOINED = "CGI has one variable for fields of one name: their values are joined by commas"


class Excluded(NamedTuple):
    """One test, or all of a file, that does not run under some hosts."""

    hosts: frozenset[str]
    test: str
    reason: str


def _listed(hosts: frozenset[str], file: str, reason: str, *names: str) -> list[Excluded]:
    return [Excluded(hosts, f"{file}::{name}", reason) for name in names]


EXCLUDED: list[Excluded] = [
    *_listed(
        BOTH,
        "tests/unit/app/test_dispatch.py",
        RAW,
        "test_the_other_slash_is_redirected_where_exactly_that_route_exists",
        "test_a_path_that_begins_with_two_slashes_is_never_redirected_off_the_site",
        "test_options_of_the_whole_server",
    ),
    *_listed(
        BOTH,
        "tests/unit/app/test_native_binders.py",
        RAW,
        "test_both_ways_read_one_odd_query_alike",
    ),
    *_listed(
        BOTH,
        "tests/unit/middleware/test_access_log.py",
        RAW,
        "test_what_is_sent_raw_is_written_as_it_was_sent",
    ),
    *_listed(
        BOTH,
        "tests/unit/middleware/test_https.py",
        RAW,
        "test_a_client_that_does_not_say_which_host_is_refused",
    ),
    *_listed(
        BOTH,
        "tests/unit/testing/test_client.py",
        RAW,
        "test_raw_bytes_go_to_the_engine_as_they_are",
        "test_the_asynchronous_client_does_the_same",
    ),
    *_listed(
        WSGI,
        "tests/unit/app/test_dispatch.py",
        ONE_LOOP,
        "test_a_time_limit_is_not_for_the_client_that_sends_a_form",
    ),
    *_listed(
        WSGI, "tests/unit/testing/test_client.py", JOINED, "test_every_keyword_reaches_the_handler"
    ),
    *_listed(
        WSGI,
        "tests/unit/app/test_background.py",
        ONE_LOOP,
        "test_calls_are_made_in_order_whatever_their_colour",
    ),
    *_listed(
        WSGI,
        "tests/unit/http/test_uploads.py",
        UNHEARD,
        "test_a_client_that_leaves_leaves_no_file_behind",
    ),
    *_listed(
        WSGI,
        "tests/unit/middleware/test_sent.py",
        UNHEARD,
        "test_a_client_that_leaves_in_the_middle_has_been_sent_so_much_and_no_more",
        "test_a_client_that_leaves_before_there_is_an_answer",
    ),
    *_listed(
        WSGI,
        "tests/unit/middleware/test_access_log.py",
        UNHEARD,
        "test_a_client_that_leaves_has_a_line",
    ),
    *(
        Excluded(WSGI, f"tests/{file}.py::", WEBSOCKET)
        for file in ("programs/test_websockets", "unit/app/test_websockets")
    ),
    *_listed(
        WSGI,
        "tests/unit/middleware/test_access_log.py",
        WEBSOCKET,
        "test_a_websocket_has_a_line_when_it_is_accepted_and_one_when_it_is_over",
        "test_a_refused_websocket_is_a_request_like_others",
        "test_the_end_of_a_websocket_is_a_document",
    ),
]
