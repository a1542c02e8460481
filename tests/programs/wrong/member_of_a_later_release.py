# refused by mypy: "App" has no attribute "cron"
from kingpost import App

app = App()


@app.cron("0 3 * * *")
async def nightly() -> None:
    return None
