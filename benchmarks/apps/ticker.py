"""A clock that measures how late the event loop calls its timers. Runs on Python 3.6 too."""

import json
import time

PERIOD = 0.005  # seconds between two ticks


class Ticker:
    """Ticks by `call_later` and keeps, in seconds, how much later than asked each tick came."""

    def __init__(self):
        self.late = []
        self.loop = None
        self.due = 0.0

    def report(self, loop):
        """Start on the first call; afterwards the delays since the call before, as JSON."""
        late, self.late = self.late, []
        if self.loop is None:
            self.loop = loop
            self._schedule()
        return json.dumps(late)

    def _schedule(self):
        self.due = time.monotonic() + PERIOD
        self.loop.call_later(PERIOD, self._tick)

    def _tick(self):
        self.late.append(time.monotonic() - self.due)
        self._schedule()
