"""Values of a question's placeholders, as literals: a server as old as 18.16 knows no parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping

from streams.errors import InputError

# What is quoted or a comment is passed over: a placeholder in it is none, and a value would end the quotes.
_PIECES = re.compile(
    r"""'(?:[^'\\]|\\.)*(?:'|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z)|`(?:[^`\\]|\\.)*(?:`|\Z)"""
    r"""|--[^\n]*|/\*.*?(?:\*/|\Z)|(?P<heredoc>\$\w*\$).*?(?:(?P=heredoc)|\Z)"""
    r"""|\{(?P<name>\w+)\s*:\s*(?P<type>[^{}]+)\}""",
    re.DOTALL,
)
_ESCAPES = {"\\": r"\\", "'": r"\'", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\0": r"\0", "\b": r"\b"}


def with_values(sql: str, values: Mapping[str, object]) -> str:
    r"""Return the question with each ``{name:Type}`` replaced by its value, cast to the type.

    Raises InputError for a placeholder without a value.

    >>> with_values("SELECT {who:String}, '{who:String}'", {"who": "it's"})
    "SELECT CAST('it\\'s' AS String), '{who:String}'"
    """

    def put(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return found[0]
        if name not in values:
            raise InputError("question", f"`{name}` is not set", f"give it a value: --value {name}=...")
        return f"CAST({_literal(values[name])} AS {found['type']})"

    return _PIECES.sub(put, sql)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return "'" + "".join(_ESCAPES.get(character, character) for character in str(value)) + "'"
