import pytest
from harness.generator import GeneratorError
from harness.http2 import read

REPORT = """starting benchmark...
Application protocol: h2c
finished in 2.00s, 100440.00 req/s, 5.26MB/s
requests: 200880 total, 201136 started, 200880 done, 200870 succeeded, 10 failed, 10 errored, 0 timeout
status codes: 200870 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 10.53MB (11036220) total, 4.79MB (5022000) headers (space savings 84.25%), 2.49MB (2611440) data
                     min         max         mean         sd        +/- sd
time for request:      245us      5.81ms      2.54ms       402us    78.91%
time for connect:        0us         0us         0us         0us     0.00%
"""


def test_a_report_is_read() -> None:
    report = read(REPORT, load=0.5, seconds=2.0)

    assert (report.requests, report.rate, report.load) == (200_870, 100_440.0, 0.5)
    assert report.p50 == 2.54


def test_what_did_not_succeed_is_an_error() -> None:
    assert read(REPORT, 0.5, 2.0).errors == 10


def test_a_report_without_figures_is_refused() -> None:
    with pytest.raises(GeneratorError, match="refused"):
        read("connection refused", 0.0, 0.0)
