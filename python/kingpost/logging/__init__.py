"""For logging that you configure yourself: records as JSON, and the request that they belong to."""

from kingpost.logging.json_formatter import JsonFormatter
from kingpost.logging.request import RequestFilter

__all__ = ["JsonFormatter", "RequestFilter"]
