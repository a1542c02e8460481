"""The program of this folder as a CGI program."""

from wsgiref.handlers import CGIHandler

from tests.conformance.hosts.program import app

if __name__ == "__main__":
    CGIHandler().run(app.wsgi)
