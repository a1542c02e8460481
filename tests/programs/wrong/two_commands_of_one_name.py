# refused at start-up: extensions.taken: two functions claim the command 'send-mails'
from kingpost import App

app = App()


@app.extensions.command
def send_mails() -> None: ...


@app.extensions.command(name="send-mails")
def send_others() -> None: ...
