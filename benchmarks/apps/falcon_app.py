"""Falcon (WSGI), input read by hand; on Granian and on FastPySGI."""

import sys

import falcon
from schema import decode_item, encode


class Home:
    def on_get(self, request, response):
        response.content_type = "text/plain; charset=utf-8"
        response.text = "Hello, world!"


class Message:
    def on_get(self, request, response):
        response.content_type = "application/json"
        response.data = encode({"message": "Hello, world!"})


class Item:
    def on_get(self, request, response, id):
        found = {
            "id": id,
            "limit": request.get_param_as_int("limit", required=True),
            "q": request.get_param("q", required=True),
            "active": request.get_param_as_bool("active", required=True),
        }
        response.content_type = "application/json"
        response.data = encode(found)


class Items:
    def on_post(self, request, response):
        response.content_type = "application/json"
        response.data = encode(decode_item(request.bounded_stream.read()))


app = falcon.App()
app.add_route("/", Home())
app.add_route("/json", Message())
app.add_route("/items/{id:int}", Item())
app.add_route("/items", Items())

if __name__ == "__main__":
    import fastpysgi

    fastpysgi.server.tcp_nodelay = 1
    fastpysgi.run(wsgi_app=app, host="127.0.0.1", port=int(sys.argv[1]))
