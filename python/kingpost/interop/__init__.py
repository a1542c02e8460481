"""What was written for other frameworks, used in this one."""

from kingpost.interop.asgi_guest import AsgiMiddleware, asgi_scope

__all__ = ["AsgiMiddleware", "asgi_scope"]
