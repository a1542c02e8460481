# refused at start-up: injection.not-installed: publish(text: str, channels: Channels) -> None: channels is Channels, a plugin that the App does not have
from kingpost import App
from kingpost.channels import Channels

app = App()


@app.post("/news")
async def publish(text: str, channels: Channels) -> None:
    await channels.publish("news", text)
