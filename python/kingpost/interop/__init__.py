"""What was written for other frameworks, used in this one."""

from kingpost.interop.asgi_middleware import AsgiMiddleware, AsgiRoute, asgi_scope

__all__ = ["AsgiMiddleware", "AsgiRoute", "asgi_scope"]
