# refused at start-up: binding.foreign-settings: settings is ShopSettings, and the App's settings are none
from kingpost import App, Settings


class ShopSettings(Settings):
    title: str = ""


app = App()


@app.get("/")
def home(settings: ShopSettings) -> str:
    return settings.title
