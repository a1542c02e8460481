import pytest
from harness.generator import GeneratorError, read

REPORT = """Running 3s test @ http://127.0.0.1:23000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   616.42us  298.12us   6.80ms   96.52%
    Req/Sec    72.47k     5.66k   79.42k    70.00%
  Latency Distribution
     50%  592.00us
     75%  690.00us
     90%    0.91ms
     99%    1.26ms
  144051 requests in 2.00s, 12.78MB read
  Socket errors: connect 1, read 20, write 0, timeout 3
  Non-2xx or 3xx responses: 7
Requests/sec:  71922.15
Transfer/sec:      6.38MB
"""


def test_a_report_is_read() -> None:
    report = read(REPORT, load=0.5, seconds=2.0)

    assert (report.requests, report.rate, report.load) == (144051, 71922.15, 0.5)
    assert (report.p50, report.p99) == (0.592, 1.26)


def test_broken_connections_and_refusals_are_counted_as_errors() -> None:
    assert read(REPORT, 0.5, 2.0).errors == 31


def test_a_report_without_figures_is_refused() -> None:
    with pytest.raises(GeneratorError, match="unable to connect"):
        read("unable to connect to 127.0.0.1:1 Connection refused", 0.0, 0.0)
