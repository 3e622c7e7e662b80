"""The cluster form, measured: workers as processes on a real Kafka and a real store."""
