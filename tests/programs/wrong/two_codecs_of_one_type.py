# refused at start-up: extensions.taken: two codecs claim the media type 'application/msgpack'
from kingpost import App
from kingpost.http.media import MessagePack

app = App()
app.extensions.codec(MessagePack())
app.extensions.codec(MessagePack())
