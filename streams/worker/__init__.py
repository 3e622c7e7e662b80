"""The worker's way from the topics of sources into the log (stage 1), on the asyncio client of Kafka."""
