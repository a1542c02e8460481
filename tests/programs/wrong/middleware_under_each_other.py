# refused at start-up: routing.middleware-order: AccessLog and HttpsRedirect each want to stand under the other
from kingpost import App
from kingpost.middleware import AccessLog, HttpsRedirect

app = App()
app.middleware(AccessLog(), under=HttpsRedirect)
app.middleware(HttpsRedirect(), under=AccessLog)
