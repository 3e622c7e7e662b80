"""Real servers on this machine without containers, for development and tests (docs/servers.md)."""
