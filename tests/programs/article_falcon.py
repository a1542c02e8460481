"""The article's Falcon sample: a resource, a method for each verb."""

from kingpost import App

app = App()


@app.resource("/quote")
class Quote:
    def get(self) -> dict[str, str]:
        return {
            "quote": "I've always been more interested in the future than in the past.",
            "author": "Grace Hopper",
        }
