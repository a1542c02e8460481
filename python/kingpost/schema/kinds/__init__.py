"""The kinds of classes that Kingpost knows by itself, one module for each family of them."""
