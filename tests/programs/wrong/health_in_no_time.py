# refused at start-up: checks.bad-timeout: Health(timeout=0): it is a number of seconds, more than 0
from kingpost import App
from kingpost.checks import Health

app = App(plugins=[Health(timeout=0)])
