"""The log of a cluster: the topic ``changes``, whose partitions are the shop's partitions."""
