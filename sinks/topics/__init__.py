"""Effects in Kafka topics, as CloudEvents, each exactly once for who reads what is committed."""
