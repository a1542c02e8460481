# refused at start-up: binding.host-parameter: home(tenant: str) -> str: not every host of the route has {tenant}
from kingpost import App

app = App()


@app.get("/", hosts=["example.org", "{tenant}.example.org"])
def home(tenant: str) -> str:
    return tenant
