# refused by mypy: Argument "max_age" to "cache_control" of "Response" has incompatible type "str"; expected "int | timedelta"
from kingpost import App, Response

app = App()


@app.get("/")
def home() -> Response[str]:
    return Response("home").cache_control(public=True, max_age="60")
