# refused at start-up: binding.middleware: write middleware=[Compression(…)]
from typing import Any

from kingpost import App
from kingpost.middleware import Compression

middleware: Any = Compression()
app = App(middleware=middleware)
