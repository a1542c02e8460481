# refused at start-up: binding.bad-marker: show(token: Annotated[str, Header('X-Token', security='bearer')]) -> str: token is marked security='bearer', and it is the header 'x-token'
from typing import Annotated

from kingpost import App, Header

app = App()


@app.get("/")
def show(token: Annotated[str, Header("X-Token", security="bearer")]) -> str:
    return token
