# refused at start-up: compression.unknown-coding: 'deflate' is none
from kingpost import App
from kingpost.middleware import Compression

app = App(middleware=[Compression(codings=["deflate"])])
