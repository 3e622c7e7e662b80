"""What drains an embedded shop's outbox: into history, and through the ledger to the providers."""
