# refused at start-up: routing.inline-generator: rows: between two chunks a generator waits for its reader
from collections.abc import Iterator

from kingpost import App

app = App()


@app.get("/", inline=True)
def rows() -> Iterator[str]:
    yield ""
