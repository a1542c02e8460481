"""Where things are in the tree."""

from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1]
ROOT = BENCHMARKS.parent
APPS = BENCHMARKS / "apps"
CACHE = ROOT / ".cache" / "bench"
LOGS = CACHE / "logs"
STATIC_FILES = CACHE / "static"
CERTIFICATE = CACHE / "certificate.pem"
KEY = CACHE / "key.pem"
LOAD_SCRIPT = BENCHMARKS / "generator" / "load.lua"
WEBSOCKET_SOURCE = BENCHMARKS / "generator" / "websocket.c"
EPOLL_SOURCE = BENCHMARKS / "limit" / "epoll.c"
PICTURE = ROOT / "docs" / "bench.svg"
