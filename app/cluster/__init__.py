"""A running cluster, looked at from outside: audit, one person, dead letters."""
