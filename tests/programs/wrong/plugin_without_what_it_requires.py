# refused at start-up: plugins.missing: the plugin 'guests' requires 'templates', and no plugin is called that
from kingpost import App


class Guests:
    name = "guests"
    requires = ["templates"]

    def install(self, app: App, /) -> None: ...


app = App()
app.install(Guests())
