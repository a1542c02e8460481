"""The program of this folder on `wsgiref.simple_server`, checked by `wsgiref.validate`."""

import contextlib
import signal
import socketserver
import sys
from wsgiref.simple_server import WSGIServer, make_server
from wsgiref.validate import validator

from tests.conformance.hosts.program import app


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """With a thread for each connection."""


if __name__ == "__main__":
    # Whose parent runs in the background is born deaf to it, and Python keeps it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with make_server("127.0.0.1", int(sys.argv[1]), validator(app.wsgi), Server) as server:
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
