"""A text compiled once and filled for many: checked against its grammar, in a sandbox, with bounds.

Importing this loads Jinja2 and Babel: whoever starts fast imports it where a text is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from sinks.channels.message import HeldBack, Value
from sinks.texts import filters
from sinks.texts.escape import ESCAPES, Address, Escape, EscapeName, is_blank
from sinks.texts.filters import MANNER
from sinks.texts.forms import FORMS
from sinks.texts.grammar import Checked, Fault, check_tree
from sinks.texts.kinds import Kind
from sinks.texts.manner import Manner

LONGEST_SOURCE = 20_000  # characters of a template; a long mail has 5,000
LONGEST_VALUE = 20_000  # of a value before its filters
LONGEST = 40_000  # characters of what comes out
CALLED = {"datetime": "datetime_"}  # the word is a class's there
COMPILED = 4096  # texts kept, of a few kilobytes each


class TextError(Exception):
    """A text that is none; ``faults`` says where and why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"line {one.line}: {one.problem}" for one in faults))
        self.faults = faults


class _Unknown(StrictUndefined):
    """A value that is missing or null: whatever is done with it holds the message back."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: object = missing, name: str | None = None,
        exc: type[UndefinedError] = UndefinedError,
    ) -> None:  # fmt: skip
        super().__init__(f"'{name}' is not known of this customer", obj, name, exc)


def parse(source: str, escape: EscapeName = "plain") -> nodes.Template:
    """Read a text. Raises TextError where it is none; what it consists of is not checked yet."""
    if len(source) > LONGEST_SOURCE:
        problem = f"has {len(source):,} characters, the limit is {LONGEST_SOURCE:,}"
        raise TextError([Fault(1, problem, "write a shorter text")])
    try:
        return _environment(escape).parse(source)
    except TemplateSyntaxError as error:
        hint = "write {{ name }}, {% if %} and {% endif %}"
        problem = f"is no template ({str(error.message).rstrip('.')})"
        raise TextError([Fault(error.lineno, problem, hint)]) from None
    except (RecursionError, ValueError):  # a number of thousands of digits is a ValueError
        raise TextError([Fault(1, "is no template (nested too deep)", "make it flatter")]) from None


def check(source: str, kinds: Mapping[str, Kind], currency: str) -> Checked:
    """Return the names of a text's values, and everything that is wrong with it (`check_tree`)."""
    try:
        return check_tree(parse(source), kinds, currency)
    except TextError as error:
        return Checked({}, tuple(error.faults))


class Text:
    """One compiled text of a kind of channel. Make it with `compile_text`."""

    def __init__(self, tree: nodes.Template, escape: EscapeName) -> None:
        environment = _environment(escape)
        code = environment.compile(tree)
        self._template = environment.template_class.from_code(environment, code, {}, None)

    def render(self, values: Mapping[str, Value], manner: Manner) -> str:
        """Return the text with its values. Raises HeldBack, with the reason, where one is missing, null or
        blank, or does not fit.
        """
        known: dict[str, object] = {name: value for name, value in values.items() if _is_known(name, value)}
        known[MANNER] = manner
        try:
            text = self._template.render(known)
        except UndefinedError as error:
            raise HeldBack(str(error.message)) from None
        except (TypeError, ValueError, ArithmeticError) as error:
            raise HeldBack(f"a value does not fit the text: {error}") from None
        if len(text) > LONGEST:
            raise HeldBack(f"the text has {len(text):,} characters, the limit is {LONGEST:,}")
        return text


@lru_cache(maxsize=COMPILED)
def compile_text(source: str, escape: EscapeName = "plain") -> Text:
    """Return a compiled text; the same one again is not compiled again. Raises TextError."""
    tree = parse(source, escape)
    # no currency is missed here: without one, money holds the message back
    if faults := check_tree(tree, {}, "XXX").faults:
        raise TextError(faults)
    return Text(tree, escape)


def _is_known(name: str, value: Value) -> bool:
    if not isinstance(value, str):
        return value is not None
    if len(value) > LONGEST_VALUE:
        raise HeldBack(f"'{name}' has {len(value):,} characters, the limit is {LONGEST_VALUE:,}")
    return not is_blank(value)


@lru_cache(maxsize=len(ESCAPES))
def _environment(escape: EscapeName) -> ImmutableSandboxedEnvironment:
    written = _Written(ESCAPES[escape])
    made = ImmutableSandboxedEnvironment(
        undefined=_Unknown, finalize=written, autoescape=False, trim_blocks=True, lstrip_blocks=True,
        cache_size=0,
    )  # fmt: skip
    made.filters = {name: getattr(filters, CALLED.get(name, name)) for name in FORMS}
    made.globals.clear()
    made.tests.clear()
    return made


class _Written:
    """How an output's value is written into a text."""

    def __init__(self, escape: Escape) -> None:
        self._escape = escape

    def __call__(self, value: object) -> str:
        text = value if isinstance(value, Address) else str(value)  # of what is not known it raises
        if len(text) > self._escape.longest:
            raise HeldBack(f"a value has {len(text):,} characters, the limit is {self._escape.longest:,}")
        return self._escape(text)
