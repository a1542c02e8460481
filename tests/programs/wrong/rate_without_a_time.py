# refused at start-up: rate-limit.bad-rate: is no rate
from kingpost import App
from kingpost.middleware import RateLimit

app = App(middleware=[RateLimit("100")])
