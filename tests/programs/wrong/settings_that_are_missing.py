# refused at start-up: settings.missing: WRONG_API_KEY is missing
from kingpost import App, Secret, Settings


class AppSettings(Settings, prefix="WRONG_"):
    api_key: Secret[str]


app = App(settings=AppSettings)
