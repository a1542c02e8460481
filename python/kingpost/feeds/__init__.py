"""Feeds: what happens, in order and with ids, for pages that follow it by server-sent events or by long polling."""

from kingpost.feeds.feed import Feed
from kingpost.feeds.polled import Polled

__all__ = ["Feed", "Polled"]
