"""Objects that handlers name by their type, made by the functions that return that type.

`provider` describes such a function, `lookup` finds the one for a type, `graph` follows what it needs in turn. What is made of that for a
request is the App's: `kingpost.app.program`.
"""
