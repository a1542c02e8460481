"""Settings from the environment, named by the handlers that need them."""

from kingpost import App, Secret, Settings


class AppSettings(Settings, prefix="SHOP_"):
    title: str = "A small shop"
    page_size: int = 20
    api_key: Secret[str] | None = None


app = App(settings=AppSettings)


@app.get("/")
def home(settings: AppSettings) -> dict[str, str | int]:
    return {"title": settings.title, "page_size": settings.page_size, "key": str(settings.api_key)}


@app.resource("/about")
class About:
    def __init__(self, settings: AppSettings) -> None:
        self.title = settings.title

    def get(self) -> str:
        return self.title
