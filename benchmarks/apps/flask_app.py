"""Flask on gunicorn's gthread worker."""

from flask import Flask, Response
from schema import encode

app = Flask(__name__)


@app.get("/")
def home():
    return Response("Hello, world!", content_type="text/plain; charset=utf-8")


@app.get("/json")
def message():
    body = encode({"message": "Hello, world!"})
    return Response(body, content_type="application/json")
