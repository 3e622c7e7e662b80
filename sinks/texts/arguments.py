"""What a filter is given in parentheses, checked where the text is saved, so that nothing fails later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import nodes

from sinks.texts.forms import Argument, Form
from sinks.texts.kinds import Kind

Wrong = tuple[str, str]  # what is wrong, and what to do


def said_arguments(node: nodes.Filter, form: Form) -> list[nodes.Expr]:
    """Return the arguments that may be any value, as ``default``'s is."""
    given = _given(node, form)
    return [given[one.name] for one in form.arguments if one.what == "value" and one.name in given]


def wrong_arguments(node: nodes.Filter, form: Form, value: Kind, currency: str) -> Iterator[Wrong]:
    """Return what is wrong with a filter's arguments. value: what it is applied to; currency: the shop's."""
    given = _given(node, form)
    names = [one.name for one in form.arguments]
    strangers = set(given) - set(names)
    if node.dyn_args or node.dyn_kwargs or len(node.args) > len(names) or strangers:
        yield f"'{node.name}' has other arguments", f"its arguments: {', '.join(names) or 'none'}"
        return
    for one in form.arguments:
        if one.name in given:
            if (wrong := _wrong(one, given[one.name])) is not None:
                yield f"'{one.name}' of '{node.name}' {wrong}", f"write {_meant(one)}"
        elif one.required:
            yield f"'{node.name}' needs '{one.name}'", f"write {_meant(one)} in parentheses"
    if node.name == "money":
        named = given.get("currency")
        yield from _wrong_money(value, named.value if isinstance(named, nodes.Const) else currency)


def _given(node: nodes.Filter, form: Form) -> Mapping[str, nodes.Expr]:
    """Return arguments by name, those by place among them."""
    by_place = zip(form.arguments, node.args, strict=False)
    found: dict[str, nodes.Expr] = {one.name: value for one, value in by_place}
    return found | {str(one.key): one.value for one in node.kwargs}


def _wrong_money(value: Kind, currency: str) -> Iterator[Wrong]:
    from babel.numbers import get_currency_precision

    if not currency:
        yield "the shop has no currency", "add 'currency' to tintype.toml, or write money('CNY')"
        return
    if value.currency and value.currency != currency:
        problem = f"this is an amount in {value.currency}, and would be written as {currency}"
        yield problem, f"write money('{value.currency}')"
    digits = get_currency_precision(currency)
    if value.scale and value.scale != digits:  # a column of whole numbers may well be cents
        problem = f"its units have {value.scale} digits behind the point, those of {currency} have {digits}"
        yield problem, "use number, or bring it to the currency's units in the rule"


def _wrong(one: Argument, value: nodes.Expr) -> str | None:
    """Say what is wrong with an argument; None: nothing."""
    if one.what == "value":
        return None
    if not isinstance(value, nodes.Const):
        return "is no constant"
    given = value.value
    if one.what == "whole":
        fits = type(given) is int and one.least <= given <= one.most
        return None if fits else f"is no whole number from {one.least} to {one.most:,}"
    if not isinstance(given, str):
        return "is no text"
    fits = given in one.choices if one.what == "choice" else one.what == "text" or _is_currency(given)
    return None if fits else f"is '{given}'"


def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _meant(one: Argument) -> str:
    return {
        "whole": f"a number from {one.least} to {one.most:,}", "choice": " or ".join(map(repr, one.choices)),
        "currency": "three capitals, such as 'EUR'", "text": f"'{one.name}' in quotes", "value": "a value",
    }[one.what]  # fmt: skip
