# refused at start-up: injection.cycle: to make store it is needed itself: store -> search -> store
from kingpost import App

app = App()


class Store:
    pass


class Search:
    pass


@app.provide
def store(search: Search) -> Store:
    return Store()


@app.provide
def search(store: Store) -> Search:
    return Search()


@app.get("/")
def home(store: Store) -> str:
    return "here"
