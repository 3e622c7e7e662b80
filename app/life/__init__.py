"""The life of triggers where a shop is run: what may go live, where each stands, what it would do."""
