"""Timelines: a customer's story beside what must come of it, run under a virtual clock."""
