"""The cluster form: a worker takes sources in and owns partitions of the log."""
