# refused at start-up: extensions.bad-codec: is no codec
from kingpost import App
from kingpost.http.media import Csv

app = App()
app.extensions.codec(Csv())  # type: ignore[arg-type]  # what only writes is named by its routes
