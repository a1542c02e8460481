# refused at start-up: extensions.taken: application/x-www-form-urlencoded is read already
from kingpost import App
from kingpost.http.media import MessagePack

app = App()
app.extensions.codec(MessagePack(media_type="application/x-www-form-urlencoded"))
