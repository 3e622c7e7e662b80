"""What is wrong with a feed, what it costs, and the command that mends it."""
