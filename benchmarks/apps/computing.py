"""A handler's work that is Python alone and holds the interpreter's lock."""

import time

SECONDS = 0.005  # of the calling thread's processor time


def compute():
    """Compute for SECONDS, however many threads compete for the lock meanwhile."""
    end = time.thread_time() + SECONDS
    while time.thread_time() < end:
        pass
    return "Hello, world!"
