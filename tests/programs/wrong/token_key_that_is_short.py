# refused at start-up: csrf.weak-key: has at least 32 characters
from kingpost import App
from kingpost.middleware import Csrf

app = App(middleware=[Csrf("secret")])
