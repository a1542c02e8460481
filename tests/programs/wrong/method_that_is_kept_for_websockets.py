# refused at start-up: routing.bad-method: WEBSOCKET is no method, and the table keeps it for WebSocket routes
from kingpost import App

app = App()


@app.route("/rooms/{room}", methods=["GET", "WEBSOCKET"])
def join(room: str) -> str:
    return room
