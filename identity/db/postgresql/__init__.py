"""PostgreSQL: the framework's backend, with a cheaper question whether a connection still stands."""
