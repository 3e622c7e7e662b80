"""What came out, as events: CloudEvents 1.0 for topics, streams and pages, one form for all of them."""
