"""Running applications: sockets, workers, reload and signals. It knows what a server asks of an application, not App."""
