"""Tools around Debezium on Kafka Connect: connectors from files, lag, offsets, signals, what is wrong.

Usable without the rest of Tintype: it needs Connect's REST address, Kafka's, and connector files.
"""
