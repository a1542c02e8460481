"""What the row "around" has made for each request: three objects, each of the one before."""


class Clock:
    def __init__(self) -> None:
        self.now = 1


class Session:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock


class User:
    def __init__(self, session: Session) -> None:
        self.session = session
