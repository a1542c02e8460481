"""Middleware in the box: what many sites put around their routes, one file each.

None of it runs unless it is registered. `docs/howto/middleware.md` says in which order.
"""

from kingpost.middleware.access_log import AccessLog
from kingpost.middleware.compression import Compression
from kingpost.middleware.conditional import ConditionalGet
from kingpost.middleware.cors import Cors
from kingpost.middleware.csp import ContentSecurityPolicy, csp_nonce
from kingpost.middleware.csp_reports import CspReport, CspReports
from kingpost.middleware.csrf import Csrf, csrf_token
from kingpost.middleware.headers import Hsts, SecurityHeaders
from kingpost.middleware.http_cache import HttpCache
from kingpost.middleware.https import HttpsRedirect
from kingpost.middleware.proxies import TrustedProxies
from kingpost.middleware.rate_limit import Count, MemoryRateStore, RateLimit, RateStore
from kingpost.middleware.sent import Sent, WhenSent

__all__ = [
    "AccessLog",
    "Compression",
    "ConditionalGet",
    "ContentSecurityPolicy",
    "Cors",
    "Count",
    "CspReport",
    "CspReports",
    "Csrf",
    "Hsts",
    "HttpCache",
    "HttpsRedirect",
    "MemoryRateStore",
    "RateLimit",
    "RateStore",
    "SecurityHeaders",
    "Sent",
    "TrustedProxies",
    "WhenSent",
    "csp_nonce",
    "csrf_token",
]
