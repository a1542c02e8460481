"""One application for each framework: the same pages, each in the words of its own tutorial."""
