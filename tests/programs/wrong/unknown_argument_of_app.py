# refused by mypy: Unexpected keyword argument "debug" for "App"
from kingpost import App

app = App(debug=True)
