# refused at start-up: routing.inline-async: home: async def runs on the loop as it is
from kingpost import App

app = App()


@app.get("/", inline=True)
async def home() -> str:
    return ""
