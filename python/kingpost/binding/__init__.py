"""Arguments of handlers, read from requests by the types that their parameters are annotated with.

What a request may get wrong is decided in one place, `Binding.slow`; the native binders are a short cut for requests that get
everything right, and fall back to it at the first doubt.
"""
