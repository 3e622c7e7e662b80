"""The law read a second time: everything recomputed from the rows alone, in pandas and plain Python.

Written from docs/semantics.md, without a look at the engine; it shares the declarations, the windows' names
and the rules' syntax tree with it, and nothing that computes. ``tintype audit`` and the tests rest on it.

- `pieces.Pieces`: the declarations; `history.History`: a log read once
- `recompute.recompute`, `recompute_many`: metrics, scores, segments and tags at minutes; `compare.compare`:
  where the engine differs; `minutes.random_minutes`: which minutes to look at
- `transitions.replay_small`: every transition of a small log, by brute force
- `replay.Life`: one customer's life, for tags with a memory; `sweep.sweep`: the cut points of all minutes
"""
