"""Applications of other frameworks, served by us and by the servers that their authors name: what a client sees is the same."""
