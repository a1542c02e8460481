from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.hosts import EXCLUDED, WEB

# A machine that is busy with other things fails nobody's example; under CI this is Hypothesis' own rule.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--host",
        choices=("native", "asgi", "wsgi"),
        default="native",
        help="what the test client asks the App through; other than native: only the web tests run",
    )


def pytest_configure(config: pytest.Config) -> None:
    host = config.getoption("--host")
    if host != "native":
        os.environ["KINGPOST_TEST_HOST"] = host


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    host = config.getoption("--host")
    if host == "native":
        return
    left = [item for item in items if not _runs(item.nodeid, host)]
    items[:] = [item for item in items if _runs(item.nodeid, host)]
    config.hook.pytest_deselected(items=left)


def _runs(test: str, host: str) -> bool:
    return test.startswith(WEB[host]) and not any(
        host in each.hosts
        and (test.partition("[")[0] == each.test or test.partition("::")[0] == each.test[:-2])
        for each in EXCLUDED
    )
