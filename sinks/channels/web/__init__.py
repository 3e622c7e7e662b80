"""What is posted over HTTP: signed webhooks, robots of chat tools; nothing dials where it must not."""
