# refused by mypy: Module "kingpost" has no attribute "WebSocket"
from kingpost import App, WebSocket

app = App()
