"""In-app messages: an inbox for each customer, in the store."""
