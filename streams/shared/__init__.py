"""What all workers of a cluster share: whose a reference is, where each row stands, keys of customers."""
