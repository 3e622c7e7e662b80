"""What the API answers from in a cluster: the store, the shared index and Kafka. It keeps nothing itself."""
