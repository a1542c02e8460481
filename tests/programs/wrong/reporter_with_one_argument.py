# refused by mypy: Value of type variable "R" of "error_reporter" of "Extensions" cannot be "Callable[[BaseException], None]"
from kingpost import App

app = App()


@app.extensions.error_reporter
def report(error: BaseException) -> None: ...
