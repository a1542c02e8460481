# refused at start-up: cors.credentials-for-all: would let every page of the web read
from kingpost import App
from kingpost.middleware import Cors

app = App(middleware=[Cors(origins=["*"], credentials=True)])
