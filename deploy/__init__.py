"""How the servers around Tintype are set up: their settings, shared by containers and by deploy/servers."""
