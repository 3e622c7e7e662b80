"""Where commands write: results to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

from rich.console import Console

from app.problems import ConfigError
from streams.errors import InputError

page = Console(highlight=False)
notes = Console(stderr=True, highlight=False)


def print_json(value: object) -> None:
    """Write one JSON document to stdout, Chinese as it is."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def errors_of(error: ConfigError | InputError) -> list[InputError]:
    """Return the single errors that an error tells of."""
    return error.errors if isinstance(error, ConfigError) else [error]


def errors_as_json(errors: Iterable[InputError]) -> dict[str, object]:
    """Return the JSON document of errors: ``{"errors": [{where, problem, hint}]}``."""
    rows = [{"where": one.where, "problem": one.problem, "hint": one.hint} for one in errors]
    return {"errors": rows}


def print_errors(errors: list[InputError]) -> None:
    """Write errors to stderr, one a line, as ``file:line: what: what to do``."""
    for error in errors:
        notes.print(str(error), markup=False, soft_wrap=True)
