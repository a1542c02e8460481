"""socketify with plain functions, its fastest kind of handler."""

import sys

from schema import encode
from socketify import App


def home(res, req):
    res.write_header("Content-Type", "text/plain; charset=utf-8")
    res.end("Hello, world!")


def message(res, req):
    res.write_header("Content-Type", "application/json")
    res.end(encode({"message": "Hello, world!"}))


if __name__ == "__main__":
    app = App()
    app.get("/", home)
    app.get("/json", message)
    app.listen(int(sys.argv[1]), lambda _config: None)
    app.run()
