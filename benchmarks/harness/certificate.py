"""The certificate that servers of HTTPS show: of the usual kind, made once, good for nothing but the bench."""

import shutil
import subprocess

from harness.builds import BuildError
from harness.places import CERTIFICATE, KEY


def make_certificate() -> None:
    """Writes certificate and key where they are not yet. Raises BuildError."""
    if CERTIFICATE.exists() and KEY.exists():
        return
    program = shutil.which("openssl")
    if program is None:
        raise BuildError("there is no openssl here: apt install openssl")
    CERTIFICATE.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "3650", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        *("-keyout", str(KEY), "-out", str(CERTIFICATE)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise BuildError(f"openssl: {done.stderr.strip()[-200:]}")
