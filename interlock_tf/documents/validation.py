"""A document in its stored form, judged.

pydantic-core finds what is wrong with single values; here it is said in words for people. Then
what is wrong is taken out, or stood in for where the document cannot do without it, so that what it
hid comes to light, and the checks of what several fields say together can look at the rest in the
same run.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from pydantic_core import ErrorDetails, ValidationError

from interlock_runtime.core.findings import Finding, Path
from interlock_runtime.core.wording import shown
from interlock_tf.documents.salvage import Salvage
from interlock_tf.documents.schema import validator
from interlock_tf.documents.shapes import ANYTHING, Shape, document_fields
from interlock_tf.documents.yaml_text import MAX_PROBLEMS

T = TypeVar("T")

_ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Fault(Finding):
    """What is wrong with one value; ``of_key`` when it is the key, which was perhaps ``meant`` to be another."""

    of_key: bool = False
    meant: str | None = None


@dataclass(frozen=True)
class Judged(Generic[T]):
    """``document`` is what could be made of ``data`` without what is at fault; None when nothing could."""

    document: T | None
    data: dict[str, Any]
    faults: tuple[Fault, ...] = ()
    salvage: Salvage | None = None


def judge(kind: type[T], data: dict[str, Any]) -> Judged[T]:
    """Validate a document in its stored form against its class."""
    document, faults = _validate(kind, data)
    if document is not None or len(faults) > MAX_PROBLEMS:
        return Judged(document, data, faults)
    salvage = Salvage(kind, data)
    pending = faults
    for _ in range(_ROUNDS):
        for fault in pending:
            salvage.take_out(salvage.original(fault.path), meant=fault.meant)
        rest = salvage.rest()
        document, pending = _validate(kind, rest)
        # About what is around a gap nothing is said: it may be wrong because of the gap.
        placed = (salvage.placed(replace(fault, rests_on=(fault.path,))) for fault in pending)
        faults += tuple(fault for fault in placed if fault is not None)
        if document is not None:
            return Judged(document, rest, faults, salvage)
    return Judged(None, data, faults, salvage)


def _validate(kind: type[T], data: dict[str, Any]) -> tuple[T | None, tuple[Fault, ...]]:
    try:
        document: T = validator(cast(Any, kind)).validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False)[: MAX_PROBLEMS + 1]
        return None, tuple(_fault(kind, detail) for detail in details)
    return document, ()


def _fault(kind: type, detail: ErrorDetails) -> Fault:
    place = _Place.of(kind, detail["loc"])
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return Fault(path=place.path, message=f"is required: {place.shape.expected}")
        case "unexpected_keyword_argument":
            return _unknown_key(place)
        case "union_tag_invalid" | "union_tag_not_found":
            path = (*place.path, "type")
            tags = tuple(place.shape.tagged)
            if "type" not in value:
                return Fault(path=path, message="is required: one of " + ", ".join(tags))
            return Fault(path=path, message=_not_one_of(value["type"], tags))
        case "duplicate":
            return Fault(path=(*place.path, context["index"]), message=f"{context['entry']} is listed twice")
    reason = str(context["error"]) if detail["type"] == "value_error" else ""
    return Fault(path=place.path, message=_not_valid(value, place, reason))


@dataclass(frozen=True)
class _Place:
    """Where an error is: the path in the document, what may stand there, and in which class it is a field."""

    path: Path
    shape: Shape
    owner: type | None = None

    @classmethod
    def of(cls, kind: type, loc: tuple[int | str, ...]) -> _Place:
        """Follow the location that pydantic-core gives; it names the tag of a union as a step of its own."""
        path: Path = ()
        shape, owner = Shape((kind,)), None
        for step in loc:
            owner = None
            if shape.tagged:
                shape = Shape((shape.tagged[str(step)],))
                continue
            path = (*path, step)
            if shape.document:
                owner = shape.document
                known = document_fields(owner).get(str(step))
                shape = known.shape if known else ANYTHING
            else:
                shape = shape.item or shape.values or ANYTHING
        return cls(path, shape, owner)

    @property
    def optional(self) -> bool:
        known = document_fields(self.owner).get(str(self.path[-1])) if self.owner else None
        return known is not None and not known.required


def _unknown_key(place: _Place) -> Fault:
    keys = tuple(document_fields(place.owner)) if place.owner else ()
    meant = nearest(str(place.path[-1]), keys)
    message = f"is not a known key{did_you_mean(meant)}; there are {', '.join(keys)}"
    return Fault(path=place.path, message=message, of_key=True, meant=meant)


def _not_one_of(value: Any, allowed: tuple[str, ...]) -> str:
    question = did_you_mean(nearest(str(value), allowed))
    return f"{shown(value)} is not valid{question}; expected one of {', '.join(allowed)}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was perhaps meant, whatever its case."""
    folded = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word[:80].lower(), folded, n=1, cutoff=0.7)
    return folded[found[0]] if found else None


def did_you_mean(word: str | None) -> str:
    """The question in brackets, when there is a word to ask about."""
    return f" (did you mean {word}?)" if word else ""


def _not_valid(value: Any, place: _Place, reason: str) -> str:
    shape = place.shape
    if value is None:
        instead = ", or leave the key out" if place.optional else ""
        return f"has no value; expected {shape.expected}{instead}"
    if shape.choices:
        return _not_one_of(value, shape.choices)
    empty = not reason or reason.startswith(("not a ", repr(value))) or "is not a valid" in reason
    because = "" if empty else f": {reason}"
    quote = "; quote it if it is text" if shape.kinds == (str,) and isinstance(value, (int, float)) else ""
    return f"{shown(value)} is not valid{because}; expected {shape.expected}{quote}"
