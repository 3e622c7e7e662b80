"""Personal data: kept under keys of its own, so that it can be forgotten (semantics P7)."""
