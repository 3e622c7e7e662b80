"""History: a copy of the log and of what came out, in ClickHouse, for questions over all time."""
