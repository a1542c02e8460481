# refused at start-up: binding.resource-init: Quote is made once, at start, and nothing says what author is
from kingpost import App

app = App()


@app.resource("/quote")
class Quote:
    def __init__(self, author: str) -> None:
        self.author = author

    def get(self) -> str:
        return self.author
