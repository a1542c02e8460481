# refused at start-up: routing.not-a-handler: Quote is a class, not a function
from kingpost import App


class Quote:
    def get(self) -> str:
        return ""


app = App()
app.add_route("/quote", Quote)
