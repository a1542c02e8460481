# refused at start-up: routing.bad-converter: /{code:regex([)}: the converter 'regex' cannot be made: '[' is no regular expression
from kingpost import App

app = App()


@app.get("/{code:regex([)}")
def home(code: str) -> str:
    return code
