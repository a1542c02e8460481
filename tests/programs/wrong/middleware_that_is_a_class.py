# refused at start-up: binding.middleware: Compression is a class, and middleware is a function, or an object of such a class
from typing import Any

from kingpost import App
from kingpost.middleware import Compression

middleware: Any = Compression
app = App(middleware=[middleware])
