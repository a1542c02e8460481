# refused at start-up: app.bad-host: hosts='https://example.org' is no list of host names
from kingpost import App

app = App(hosts=["https://example.org"])
