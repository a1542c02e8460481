# refused at start-up: injection.no-function: home(size: Annotated[int, Depends(20)]) -> int: size is marked Depends(20), and that is no function
from typing import Annotated

from kingpost import App, Depends

app = App()


def size() -> int:
    return 20


@app.get("/")
def home(size: Annotated[int, Depends(size())]) -> int:
    return size
