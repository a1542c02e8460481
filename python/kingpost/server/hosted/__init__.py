"""An application on other people's servers: they have the sockets, the engine has the request.

Rule 1: there is one request path. What another server gives is written as the head and body of an HTTP/1.1 request and fed to
an engine without sockets, as the test client does; what it answers is read back. Routing, limits, guards and answers are
those of the native server, because they are the same code.

Rule 2: framing is ours. A body is fed exactly as long as its head says, or in chunks that are counted here; nothing that a
host lets through can begin a second request.

Rule 3: a request is the host's. Its handler runs in the task, or on the thread, that the host has called us in, and sees the
context variables that were set there.
"""
