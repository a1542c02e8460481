# refused at start-up: routing.no-principals: permission('edit') asks who somebody is, and no provider that the route sees makes Principals
from kingpost import App
from kingpost.routing import permission

app = App()


@app.get("/", requires=permission("edit"))
def home() -> str:
    return ""
