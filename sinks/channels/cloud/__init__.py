"""SMS by the official SDKs of cloud providers: one sender for all, and what is each one's own."""
