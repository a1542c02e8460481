# refused at start-up: extensions.bad-codec: is no codec
from kingpost import App
from kingpost.http.media import MessagePack

app = App()
app.extensions.codec(MessagePack)  # type: ignore[arg-type]  # it is to be called
