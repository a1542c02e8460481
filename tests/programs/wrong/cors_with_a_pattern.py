# refused at start-up: cors.bad-origin: name each origin: they are compared as they stand
from kingpost import App
from kingpost.middleware import Cors

app = App(middleware=[Cors(origins=["https://*.example.org"])])
