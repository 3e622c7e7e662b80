"""The commands of ``tintype``, one file each. A command returns its exit code (app/exits.py).

What is slow to import (pandas, the compiled kernel) is imported inside the command that needs it, so that
``tintype check`` and every ``--help`` answer at once.
"""
