# refused at start-up: extensions.taken: two functions claim the health check 'disk'
from kingpost import App

app = App()


@app.extensions.health
def disk() -> None:
    open("data.txt", "a").close()


@app.extensions.health(name="disk")
def other_disk() -> None:
    open("other.txt", "a").close()
