"""Exit codes of the command line, the same for every command (docs/cli.md)."""

from __future__ import annotations

OK = 0
DIFFERENT = 1  # the command ran; what it checked does not hold
BAD_INPUT = 2  # a wrong call, configuration or input file
INTERRUPTED = 130  # Ctrl-C: 128 + SIGINT, as shells have it
