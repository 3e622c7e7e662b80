"""A log brought into another: an embedded shop into a cluster, a cluster into other partitions."""
