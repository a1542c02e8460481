# refused at start-up: routing.conflict: routes 'GET /' at tests/programs/wrong/two_routes_for_one_host.py:7 and 'GET /' at tests/programs/wrong/two_routes_for_one_host.py:12 collide, as both match the same requests (host {b}.example.org)
from kingpost import App

app = App()


@app.get("/", hosts=["{a}.example.org"])
def one(a: str) -> str:
    return a


@app.get("/", hosts=["{b}.example.org"])
def other(b: str) -> str:
    return b
