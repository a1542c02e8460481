"""The first program: five lines."""

from kingpost import App

app = App()


@app.get("/")
def home() -> str:
    return "Hello, world!"


if __name__ == "__main__":
    app.run()
