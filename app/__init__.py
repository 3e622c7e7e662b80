"""Settings, wiring, command line."""

import os

from app.processor import choose_instructions

choose_instructions(os.environ)  # before any module of ours imports NumPy
