"""Decisions as they leave: durable claims outside the store, and what became of each (semantics P5)."""
