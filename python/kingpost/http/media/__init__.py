"""One module for each media type that a body can have."""
