"""The table of request cases through the native parser, as Python sees it."""

import pytest

from kingpost._native import parse_requests
from tests.conformance.http1.cases import Case, cases


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_parser_gives_what_the_row_says(case: Case) -> None:
    if case.code is None:
        assert tuple(parse_requests(case.input)) == case.requests
    else:
        with pytest.raises(ValueError, match=rf"^{case.code}\b"):
            parse_requests(case.input)
