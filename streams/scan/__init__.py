"""Change messages of the form that a feed repeats, read by compiled code straight into columns."""
