"""From a log to the topic ``changes`` of a cluster, with another number of partitions (semantics P1, L4)."""
