# refused by mypy: Module "kingpost" has no attribute "WebSession"
from kingpost import App, WebSession

app = App()
kept = WebSession()
