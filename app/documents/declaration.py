"""Check a document against its declaration and tell each mistake in plain words."""

from __future__ import annotations

import types
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from app.documents.document import Document, Place
from app.problems import Problems
from rules.suggest import suggest

Model = TypeVar("Model", bound=BaseModel)

# pydantic names the tried branch of a union inside a place; no such part stands in the file
BRANCHES = ("str", "int", "bool", "(one)", "(many)")
_EXPECTED = {
    "string_type": ("must be text", "put it in quotes"),
    "int_type": ("must be a whole number", "write digits only"),
    "int_parsing": ("must be a whole number", "write digits only"),
    "int_from_float": ("must be a whole number", "write digits only"),
    "bool_type": ("must be true or false", "write true or false"),
    "bool_parsing": ("must be true or false", "write true or false"),
    "list_type": ("must be a list", "write [a, b] or one '- ' line for each"),
    "tuple_type": ("must be a list of two", "write [low, high]"),
    "dict_type": ("must be a mapping", "write 'key: value' lines below it"),
    "model_type": ("must be a mapping", "write 'key: value' lines below it"),
    "too_short": ("must not be empty", "name at least one"),
    "model_attributes_type": ("must be a mapping", "write 'key: value' lines below it"),
}


def declare(
    model: type[Model],
    document: Document,
    problems: Problems,
    place: Place = (),
    name: str | None = None,
) -> Model | None:
    """Make ``model`` from the value at ``place``; ``name`` becomes its name, which the file may not carry.

    Returns None, after adding every problem with its line, where the value does not fit.
    """
    value = _value_at(document.value, place)
    if value is None:
        value = {}
    if name is not None and isinstance(value, dict):
        if "name" in value:
            problems.add(
                document.where((*place, "name")), "unknown key 'name'", "the name is the file's own name"
            )
        value = {**value, "name": name}
    try:
        return model.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as errors:
        for error in errors.errors(include_url=False):
            _tell(model, error, document, place, problems)
        return None


def keys_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the keys a file may use for ``model``, each with its annotation (``if`` for ``condition``)."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _value_at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _tell(
    model: type[BaseModel], error: ErrorDetails, document: Document, place: Place, problems: Problems
) -> None:
    inner = _place_in_file(model, tuple(part for part in error["loc"] if part not in BRANCHES))
    where = document.where((*place, *inner))
    kind = error["type"]
    key = ".".join(str(part) for part in inner) or document.label
    if kind == "extra_forbidden":
        owner = _model_at(model, error["loc"][:-1])
        known = [one for one in keys_of(owner) if one != "name"] if owner else []
        problems.add(where, f"unknown key '{inner[-1]}'", suggest(str(inner[-1]), known, "key"))
    elif kind == "missing" and isinstance(inner[-1], int):
        key = ".".join(str(part) for part in inner[:-1])
        problems.add(where, f"'{key}' must be a list of two", "write [low, high]")
    elif kind == "missing":
        problems.add(where, f"key '{inner[-1]}' is missing", f"add '{inner[-1]}:'")
    elif kind == "literal_error":
        choices = [one.strip(" '") for one in error["ctx"]["expected"].replace(" or ", ",").split(",")]
        given = "" if error["input"] is None else str(error["input"])
        problems.add(where, f"'{given}' is no {key}", suggest(given, choices, "value"))
    elif kind == "union_tag_invalid":
        choices = [one.strip(" '") for one in error["ctx"]["expected_tags"].split(",")]
        where = document.where((*place, *inner, "kind"))
        given = str(error["ctx"]["tag"])
        problems.add(where, f"'{given}' is no kind", suggest(given, choices, "kind"))
    elif kind == "union_tag_not_found":
        problems.add(where, "key 'kind' is missing", "add 'kind:'")
    elif kind in ("greater_than_equal", "less_than_equal"):
        least = kind == "greater_than_equal"
        bound = error["ctx"]["ge" if least else "le"]
        problems.add(where, f"'{key}' must be at {'least' if least else 'most'} {bound}", "correct the value")
    elif kind == "value_error":  # a validator of the model: "what is wrong; what to do"
        problem, _, hint = str(error["ctx"]["error"]).partition("; ")
        problems.add(where, problem, hint or "correct the value")
    elif kind in _EXPECTED:
        problem, hint = _EXPECTED[kind]
        problems.add(where, f"'{key}' {problem}", hint)
    else:
        problems.add(where, f"'{key}': {error['msg'].lower()}", "correct the value")


def _place_in_file(model: type[BaseModel], place: Place) -> Place:
    """Leave out of an error's place the kinds by which the models of a union are told apart."""
    annotation: Any = model
    found: list[str | int] = []
    for step in place:
        kinds = _kinds(annotation)
        if kinds and step in kinds:
            annotation = kinds[str(step)]
            continue
        found.append(step)
        annotation = _one_step(annotation, step)
    return tuple(found)


def _kinds(annotation: Any) -> dict[str, type[BaseModel]]:
    """Return the models of a union that are told apart by their ``kind``."""
    found: dict[str, type[BaseModel]] = {}
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    for one in get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else ():
        if isinstance(one, type) and issubclass(one, BaseModel) and "kind" in one.model_fields:
            found |= dict.fromkeys(get_args(one.model_fields["kind"].annotation), one)
    return found


def _one_step(annotation: Any, step: str | int) -> Any:
    annotation = _meant(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(step))
        # pydantic keeps what tells a union's models apart beside the annotation
        return field.annotation if field else keys_of(annotation).get(str(step))
    arguments = get_args(annotation)
    return arguments[-1] if arguments else None


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """Follow ``place`` through the annotations and return the model that stands there."""
    annotation: Any = model
    for step in place:
        if step not in BRANCHES:
            annotation = _kinds(annotation).get(str(step)) or _one_step(annotation, step)
        else:
            annotation = _branch(annotation, step)
    annotation = _meant(annotation)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _branch(annotation: Any, tag: str | int) -> Any:
    """Return the form of a union that carries a tag; the union itself where none does."""
    union = annotation
    while get_origin(union) is Annotated:
        union = get_args(union)[0]
    tagged = (one for one in get_args(union) if get_origin(one) is Annotated)
    return next((one for one in tagged if Tag(str(tag)) in get_args(one)), annotation)


def _meant(annotation: Any) -> Any:
    """Unwrap Annotated and optional annotations; of several forms the first, the single one, is taken."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        annotation = next((one for one in get_args(annotation) if one is not type(None)), None)
    return annotation
