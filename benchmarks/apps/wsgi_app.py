"""A bare WSGI callable: for FastPySGI and Granian."""

import sys

from schema import encode

TEXT = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")


def app(environ, start_response):
    if environ["PATH_INFO"] == "/json":
        body = encode({"message": "Hello, world!"})
        start_response("200 OK", [JSON, ("Content-Length", str(len(body)))])
    else:
        body = b"Hello, world!"
        start_response("200 OK", [TEXT, ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    import fastpysgi

    fastpysgi.server.tcp_nodelay = 1
    fastpysgi.run(wsgi_app=app, host="127.0.0.1", port=int(sys.argv[1]))
