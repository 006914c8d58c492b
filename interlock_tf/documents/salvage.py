"""Takes out of a document what is at fault, so that the rest can still be looked at."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from interlock_runtime.core.findings import Finding, Path
from interlock_tf.documents.shapes import ANYTHING, Shape, document_fields

F = TypeVar("F", bound=Finding)

_GONE: Any = object()
#: A required text: as a pipeline's id, a name, a sensor key it is valid.
_TEXT = "missing"


class Salvage:
    """A document that loses what is at fault, bit by bit.

    An optional value or an entry of a list is removed; for what is required a harmless value
    stands in; where there is none, the value around it goes. Paths are those of the original,
    unless said otherwise.
    """

    def __init__(self, kind: type, data: dict[str, Any]) -> None:
        self._kind = kind
        self._data = copy.deepcopy(data)
        self._taken: list[Path] = []
        self._kept: dict[Path, list[int]] = {}

    def take_out(self, path: Path, *, meant: str | None = None) -> None:
        """Take the value at ``path`` out, or as much around it as is needed.

        ``meant`` is the key that an unknown one was perhaps meant to be: it counts as taken out, too.
        """
        steps = list(self._steps(path))
        for length in range(len(steps), 0, -1):
            container, step, shape, removable = steps[length - 1]
            if shape.tagged and path[length:] == ("type",) and isinstance(value := container[step], dict):
                own = _replace_own(value, shape)
                self._taken += [(*path[:length], key) for key in own]
                return
            if removable:
                _remove(container, step)
            elif (instead := _stand_in(shape)) is not _GONE:
                container[step] = instead
            else:
                continue
            self._taken.append(path[:length])
            if meant:
                self._taken.append((*path[: length - 1], meant))
            return

    def rest(self) -> dict[str, Any]:
        """What is left, as a new document."""
        self._kept.clear()
        left: dict[str, Any] = self._compact(self._data, ())
        return left

    def original(self, path: Path) -> Path:
        """The path of a path in :meth:`rest`, whose lists may be shorter."""
        found: Path = ()
        for length, step in enumerate(path):
            kept = self._kept.get(path[:length])
            found = (*found, kept[step] if kept is not None and isinstance(step, int) else step)
        return found

    def placed(self, finding: F) -> F | None:
        """A finding about :meth:`rest` in paths of the original; None when it may only follow from what is gone."""
        rests_on = tuple(map(self.original, finding.rests_on))
        found = replace(finding, path=self.original(finding.path), rests_on=rests_on)
        return None if any(map(found.hinges_on, self._taken)) else found

    def _steps(self, path: Path) -> Iterator[tuple[Any, Any, Shape, bool]]:
        """For each step of a path: the container, the step, what may stand there, and whether it can be removed."""
        shape = Shape((self._kind,))
        node: Any = self._data
        for step in path:
            removable = True
            kind = shape.document or shape.tagged.get(str(node.get("type")) if isinstance(node, dict) else "")
            if kind or shape.tagged:
                field = document_fields(kind).get(str(step)) if kind else None
                removable = kind is not None and (field is None or not field.required)
                shape = field.shape if field else ANYTHING
            else:
                shape = shape.item or shape.values or ANYTHING
            yield node, step, shape, removable
            if node is _GONE or not _holds(node, step):
                return
            node = node[step]

    def _compact(self, value: Any, path: Path) -> Any:
        """A copy without gaps; ``path`` is that of the copy."""
        if isinstance(value, dict):
            return {key: self._compact(each, (*path, key)) for key, each in value.items()}
        if not isinstance(value, list):
            return value
        kept = [index for index, each in enumerate(value) if each is not _GONE]
        if len(kept) < len(value):
            self._kept[path] = kept
        return [self._compact(value[index], (*path, place)) for place, index in enumerate(kept)]


def _holds(node: Any, step: Any) -> bool:
    return step in node if isinstance(node, dict) else isinstance(node, list) and step < len(node)


def _remove(container: Any, step: Any) -> None:
    if isinstance(container, dict):
        container.pop(step, None)
    elif isinstance(container, list):
        container[step] = _GONE


def _replace_own(value: dict[str, Any], shape: Shape) -> frozenset[str]:
    """Make a map of an unknown type one of the first type: what only types have of their own stands in.

    Returns the keys of these; all others stay.
    """
    kinds = [document_fields(kind) for kind in shape.tagged.values()]
    shapes = {key: {each[key].shape if key in each else None for each in kinds} for fields in kinds for key in fields}
    own = frozenset(key for key, found in shapes.items() if len(found) > 1)
    for key in own:
        value.pop(key, None)
    value.update({key: each for key, each in _stand_in(shape).items() if key in own})
    return own


def _stand_in(shape: Shape) -> Any:
    """A value that is valid for a required field and that nothing is wrong with, if there is one."""
    if shape.kinds == (str,):
        return _TEXT
    if shape.tagged:
        return _stand_in(Shape((next(iter(shape.tagged.values())),)))
    if shape.document:
        return _required(shape.document)
    return [] if shape.item else _GONE


def _required(kind: type) -> Any:
    found = {}
    for field in document_fields(kind).values():
        if field.required:
            value = field.shape.choices[0] if field.shape.choices else _stand_in(field.shape)
            if value is _GONE:
                return _GONE
            found[field.key] = value
    return found
