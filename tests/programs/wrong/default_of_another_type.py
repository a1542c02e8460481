# refused at start-up: binding.bad-default: the default of page is 'one', which is not an integer
from kingpost import App

app = App()


@app.get("/")
def show(page: int = "one") -> str:
    return ""
