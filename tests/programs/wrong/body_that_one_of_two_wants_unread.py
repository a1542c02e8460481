# refused at start-up: routing.mixed-bodies: /: one route takes the body unread and another wants it read
from kingpost import App, BodyStream, Request
from kingpost.routing import HasQuery

app = App()


@app.post("/", when=HasQuery("stream"))
async def unread(body: BodyStream) -> int:
    return sum([len(chunk) async for chunk in body])


@app.post("/")
def read(request: Request) -> int:
    return len(request.body)
