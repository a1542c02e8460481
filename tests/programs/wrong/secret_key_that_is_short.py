# refused at start-up: settings.weak-secret-key: SHORT_SECRET_KEY has 13 characters, and kingpost.signing needs at least 32
from kingpost import App, Secret, Settings
from kingpost.signing import SignedUrls


class AppSettings(Settings, prefix="SHORT_"):
    secret_key: Secret[str] = Secret("correct horse")


app = App(settings=AppSettings)


@app.get("/link")
def link(urls: SignedUrls) -> str:
    return urls.sign("/report")
