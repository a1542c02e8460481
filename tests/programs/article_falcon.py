"""The article's Falcon sample: a resource, a method for each verb, media in and out."""

from kingpost import App, Struct

app = App()


class Quote(Struct):
    quote: str
    author: str


@app.resource("/quote")
class QuoteResource:
    def __init__(self) -> None:
        self.quote = Quote(
            quote="I've always been more interested in the future than in the past.",
            author="Grace Hopper",
        )

    def get(self) -> Quote:
        return self.quote

    def put(self, quote: Quote) -> Quote:
        self.quote = quote
        return quote
