# refused at start-up: interop.no-asgi-middleware: give the class itself, and its options
from kingpost import App
from kingpost.interop import AsgiMiddleware
from kingpost.middleware import Compression

app = App(middleware=[AsgiMiddleware(Compression)])
