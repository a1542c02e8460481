# refused by mypy: Argument 1 to "Response" has incompatible type "int"; expected "str"
from kingpost import App, Response

app = App()


@app.get("/")
def home() -> Response[str]:
    return Response(5)
