"""Objects that handlers name by their type, made by the functions that return that type.

`provider` describes such a function, `lookup` finds the one for a type, `graph` follows what it needs in turn. What is made of that for a
request is the App's: `kingpost.app.program`. `unread` knows the classes that no request may fill.
"""

from __future__ import annotations

from kingpost.injection.unread import never_read

__all__ = ["never_read"]
