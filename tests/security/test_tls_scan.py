"""What a scanner says of our TLS: sslyze, against Mozilla's intermediate profile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from kingpost import App
from tests.certificates import Authority
from tests.needs import need
from tests.security.rig import serving

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the driver needs POSIX")

# What the scan looks at in one run of the program; each is a handful of connections.
SCANS = (
    "--sslv2",
    "--sslv3",
    "--tlsv1",
    "--tlsv1_1",
    "--tlsv1_2",
    "--tlsv1_3",
    "--compression",
    "--early_data",
    "--ems",
    "--fallback",
    "--heartbleed",
    "--openssl_ccs",
    "--reneg",
    "--robot",
    "--elliptic_curves",
)


def accepted(result: dict[str, Any], protocol: str) -> list[str]:
    suites = result[f"{protocol}_cipher_suites"]["result"]["accepted_cipher_suites"]
    return [suite["cipher_suite"]["name"] for suite in suites]


def test_a_scanner_finds_nothing(tmp_path: Path) -> None:
    need(find_spec("sslyze"), "sslyze", remedy="pip install sslyze")
    app = App()
    output = tmp_path / "scan.json"
    with serving(app, tls=Authority(tmp_path).serves()) as rig:
        done = subprocess.run(  # noqa: S603 - the scanner, on our own port
            [
                *(sys.executable, "-m", "sslyze", *SCANS, "--mozilla_config", "disable"),
                *("--json_out", str(output), f"localhost:{rig.port}"),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    (scanned,) = json.loads(output.read_text())["server_scan_results"]
    result: dict[str, Any] = scanned["scan_result"]
    assert {name for name, scan in result.items() if scan["status"] == "ERROR"} == set()

    for old in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        assert accepted(result, old) == [], old
    # Mozilla's intermediate, of what needs no finite-field Diffie-Hellman.
    assert set(accepted(result, "tls_1_3")) == {
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    }
    assert set(accepted(result, "tls_1_2")) == {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    }
    curves = result["elliptic_curves"]["result"]["supported_curves"]
    assert {curve["name"] for curve in curves} <= {"X25519", "secp256r1", "prime256v1", "secp384r1"}
    assert not result["tls_compression"]["result"]["supports_compression"]
    assert not result["tls_1_3_early_data"]["result"]["supports_early_data"]
    assert result["tls_extended_master_secret"]["result"]["supports_ems_extension"]
    assert not result["heartbleed"]["result"]["is_vulnerable_to_heartbleed"]
    assert not result["openssl_ccs_injection"]["result"]["is_vulnerable_to_ccs_injection"]
    renegotiation = result["session_renegotiation"]["result"]
    assert not renegotiation["is_vulnerable_to_client_renegotiation_dos"]
    assert renegotiation["supports_secure_renegotiation"]
    assert result["robot"]["result"]["robot_result"].startswith("NOT_VULNERABLE")
