# refused by mypy: incompatible type "AppSettings"; expected "type[Settings] | None"
from kingpost import App, Settings


class AppSettings(Settings):
    title: str = ""


app = App(settings=AppSettings())
