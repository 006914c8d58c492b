"""YAML text as plain values, each with its place in the file.

PyYAML's parser (libyaml, where it is there) does the syntax. What a scalar means is decided here,
by the core schema of YAML 1.2, since PyYAML would read ``10:00`` as 600 and ``no`` as false.

An alias is the very node of its anchor, so that reading takes time in proportion to the file,
whatever the aliases expand to. A merge key copies, so that what is merged is counted, too: a text
that grows beyond a limit is refused where it does.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from interlock_runtime.core.errors import Problem
from interlock_runtime.core.findings import Path
from interlock_runtime.core.wording import shown

#: A file larger than this is no document that people wrote; a DynamoDB row holds 400 KB.
MAX_BYTES = 1 << 20
#: What a document may grow to when its aliases are expanded.
MAX_EXPANDED = 2 * MAX_BYTES
MAX_DEPTH = 100
#: Of more problems in one file nobody reads the rest.
MAX_PROBLEMS = 100
MAX_DIGITS = 400

LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)

_CORE = "tag:yaml.org,2002:"
_WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_RADIX = re.compile(r"0o([0-7]+)|0x([0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS: Mapping[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
}

#: What to do about the syntax errors that people meet most.
_HINTS: Mapping[str, str] = {
    "mapping values are not allowed in this context": "quote a value that holds ': ', or correct the indentation",
    "did not find expected key": "look at the indentation, and at quotes within quotes",
    "did not find expected ',' or ']'": "within [ ] quote values that hold { } [ ] or ,",
    "did not find expected ',' or '}'": "within { } quote values that hold { } [ ] or ,",
    "could not find expected ':'": "a key is followed by ': '",
    "found unexpected end of stream": "a quote is not closed",
    "found undefined alias": "an anchor (&name) stands before its aliases (*name)",
}


class Node:
    """A value of a document, and where it stands.

    ``children`` has the nodes of a map by key, and of a list in order; ``keys`` the marks of a
    map's keys. ``size`` is about the number of characters of its JSON, ``depth`` its levels.
    """

    __slots__ = ("children", "depth", "keys", "mark", "size", "value")

    def __init__(self, value: Any, mark: Any, size: int) -> None:
        self.value = value
        self.mark = mark
        self.size = size
        self.depth = 0
        self.children: Any = None
        self.keys: dict[str, Any] | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Line and column, counting from 1."""
        return _place(self.mark)

    def find(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Where ``path`` stands: a scalar or an entry of a list itself, everything else by its key.

        ``key`` asks for the key of a scalar, too. Of a path that does not exist, the part that does.
        """
        node, place = self, self.place
        for step in path:
            if node.keys is not None and step in node.keys:
                place, node = _place(node.keys[str(step)]), node.children[step]
            elif node.keys is None and isinstance(step, int) and node.children and step < len(node.children):
                node = node.children[step]
                place = node.place
            else:
                return place
        return place if key or node.children is not None else node.place


class _UnreadableError(Exception):
    """Nothing can be made of the text from here on."""

    def __init__(self, message: str, mark: Any) -> None:
        super().__init__(message)
        self.message = message
        self.mark = mark


def read_yaml(raw: bytes, file: str, *, loader: Any = LOADER) -> tuple[Node | None, list[Problem]]:
    """Read the one document of a file; None when there is none that could be looked at further.

    ``loader`` is PyYAML's class that parses: the one of libyaml where it is there.
    """
    if problem := _not_text(raw, file):
        return None, [problem]
    builder = _Builder(file)
    try:
        root = builder.read(loader(raw.removeprefix(codecs.BOM_UTF8)))
    except _UnreadableError as error:
        return None, [*builder.problems, builder.problem(error.message, error.mark)]
    except yaml.reader.ReaderError:
        return None, [_unprintable(raw.decode(), file)]
    except yaml.MarkedYAMLError as error:
        return None, [*builder.problems, builder.problem(_syntax(error), error.problem_mark or error.context_mark)]
    return root, builder.problems


def _not_text(raw: bytes, file: str) -> Problem | None:
    if len(raw) > MAX_BYTES:
        return Problem(file, 1, 1, message=f"has {len(raw):,} bytes; a document may have {MAX_BYTES:,}")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Problem(file, 1, 1, message="is UTF-16; save it as UTF-8")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        line, column = _position(before)
        return Problem(
            file, line, column, message=f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        )
    return None


def _unprintable(text: str, file: str) -> Problem:
    match = _UNPRINTABLE.search(text)
    line, column = _position(text[: match.start()] if match else "")
    character = f"U+{ord(match[0]):04X}" if match else "one"
    return Problem(file, line, column, message=f"control characters are not allowed in YAML, here {character}")


def _position(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem, hint = error.problem or "", _HINTS.get(error.problem or "")
    if problem == "found character that cannot start any token":
        hint = "indent with spaces, not tabs, and quote a value that begins with @, ` or %"
    where = f" {error.context}" if error.context else ""
    if where and error.context_mark:
        where += f" that begins in line {error.context_mark.line + 1}"
    return f"is not valid YAML: {problem}{where}" + (f"; {hint}" if hint else "")


class _Builder:
    """Makes nodes of a parser's events, and notes what is wrong without stopping where it need not."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._next: Callable[[], Any]
        self._anchors: dict[str, Node | None] = {}
        self._merged_size = 0

    def problem(self, message: str, mark: Any) -> Problem:
        line, column = _place(mark) if mark else (1, 1)
        return Problem(self.file, line, column, message=message)

    def note(self, message: str, mark: Any) -> None:
        if len(self.problems) <= MAX_PROBLEMS:
            self.problems.append(self.problem(message, mark))

    def read(self, parser: Any) -> Node:
        self._next = parser.get_event
        self._next()  # the stream's start
        if isinstance(self._next(), yaml.StreamEndEvent):
            raise _UnreadableError("is empty", None)
        root = self._node(self._next(), 0)
        self._next()  # the document's end
        following = self._next()
        if not isinstance(following, yaml.StreamEndEvent):
            self.note("a second YAML document begins here; write one document per file", following.start_mark)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            node = Node(self._scalar(event), event.start_mark, len(event.value) + 2)
        elif kind is yaml.AliasEvent:
            return self._alias(event, depth)
        else:
            if depth >= MAX_DEPTH:
                raise _too_deep(event.start_mark)
            if event.anchor is not None:
                self._anchors[event.anchor] = None
            node = self._map(event, depth + 1) if kind is yaml.MappingStartEvent else self._list(event, depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, depth: int) -> Node:
        if event.anchor not in self._anchors:
            hint = _HINTS["found undefined alias"]
            raise _UnreadableError(f"*{event.anchor} refers to nothing; {hint}", event.start_mark)
        node = self._anchors[event.anchor]
        if node is None:
            raise _UnreadableError(f"*{event.anchor} stands within what it refers to", event.start_mark)
        if depth + node.depth > MAX_DEPTH:
            raise _too_deep(event.start_mark)
        return node

    def _list(self, event: Any, depth: int) -> Node:
        self._refuse_tag(event, "seq")
        node = Node([], event.start_mark, 2)
        node.children = []
        while type(item := self._next()) is not yaml.SequenceEndEvent:
            child = self._node(item, depth)
            node.children.append(child)
            node.value.append(child.value)
            node.size = _within_limit(node.size + child.size + 1)
            node.depth = max(node.depth, child.depth + 1)
        return node

    def _map(self, event: Any, depth: int) -> Node:
        self._refuse_tag(event, "map")
        node = Node({}, event.start_mark, 2)
        keys: dict[str, Any] = {}
        node.children, node.keys = {}, keys
        merged: list[Node] = []
        while type(key := self._next()) is not yaml.MappingEndEvent:
            merges = type(key) is yaml.ScalarEvent and key.value == "<<" and key.tag is None and not key.style
            name = self._key(key, depth)
            child = self._node(self._next(), depth)
            node.depth = max(node.depth, child.depth + 1)
            if merges:
                merged += self._merged(child, key.start_mark)
            elif name in keys:
                first = _place(keys[name])[0]
                self.note(f"duplicate key {shown(name)}; the first one is in line {first}", key.start_mark)
            elif name is not None:
                _add(node, name, child, key.start_mark)
        for source in merged:
            for name, child in source.children.items():
                if name not in keys:
                    _add(node, name, child, source.keys[name])  # type: ignore[index]
        return node

    def _key(self, event: Any, depth: int) -> str | None:
        node = self._node(event, depth)
        if isinstance(node.value, str):
            return node.value
        if node.children is not None:
            self.note(f"a key must be text, not {shown(node.value)}", event.start_mark)
        else:
            self.note(f"the key {shown(node.value)} is not text; quote it", event.start_mark)
        return None

    def _merged(self, node: Node, mark: Any) -> list[Node]:
        """The maps that a merge key (``<<``) takes over, the first one first."""
        self._merged_size = _within_limit(self._merged_size + node.size)
        sources = node.children if isinstance(node.children, list) else [node]
        if all(source.keys is not None for source in sources):
            return list(sources)
        self.note("<< takes over the keys of a map or of a list of maps, here it is given something else", mark)
        return []

    def _scalar(self, event: Any) -> Any:
        text, tag = event.value, event.tag
        if not text.isascii() and _SURROGATE.search(text):
            raise _UnreadableError("found half of a surrogate pair, which is no character", event.start_mark)
        if tag is None and not event.style:
            return self._plain(event, None)
        kind = (tag or "!").removeprefix(_CORE)
        if kind in _KINDS:
            return self._plain(event, kind)
        self._refuse_tag(event, "str")
        return text

    def _plain(self, event: Any, kind: str | None) -> Any:
        """The value of a scalar without quotes, or with the tag ``!!<kind>``; its text when it has none."""
        try:
            value = plain_scalar(event.value)
            if kind and (not isinstance(value, _KINDS[kind]) or (value is True or value is False) != (kind == "bool")):
                raise ValueError(f"{shown(event.value)} is not a value of type !!{kind}")
        except ValueError as error:
            self.note(str(error), event.start_mark)
            return event.value
        return value

    def _refuse_tag(self, event: Any, kind: str) -> None:
        if event.tag not in (None, "!", _CORE + kind):
            tag = shown(event.tag.replace(_CORE, "!!"))
            self.note(f"the YAML tag {tag} is not supported; write a plain value", event.start_mark)


def plain_scalar(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means: null, true or false, a number, or else text.

    Raises:
        ValueError: a number that JSON cannot hold.
    """
    if text in _WORDS:
        return _WORDS[text]  # type: ignore[return-value]
    if text[0] not in _NUMERIC:
        return text
    if len(text) > MAX_DIGITS and _FLOAT.fullmatch(text):
        raise ValueError(f"a number of more than {MAX_DIGITS} digits; quote it if it is text")
    if _INTEGER.fullmatch(text):
        return int(text)
    if match := _RADIX.fullmatch(text):
        return int(match[1], 8) if match[1] else int(match[2], 16)
    if match := _FLOAT.fullmatch(text):
        return _float(text, whole=match[1] is None)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that can be stored; quote it if it is text")
    return text


def _float(text: str, *, whole: bool) -> int | float:
    """``1e3`` is the whole number 1000, ``1.0`` stays a fraction."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{shown(text)} is too large a number")
    return int(value) if whole and value.is_integer() and abs(value) < 1 << 53 else value


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _add(node: Node, name: str, child: Node, mark: Any) -> None:
    node.children[name] = child
    node.keys[name] = mark  # type: ignore[index]
    node.value[name] = child.value
    node.size = _within_limit(node.size + len(name) + child.size + 4)


def _within_limit(size: int) -> int:
    if size > MAX_EXPANDED:
        raise _UnreadableError(f"its aliases expand to more than {MAX_EXPANDED:,} characters", None)
    return size


def _too_deep(mark: Any) -> _UnreadableError:
    return _UnreadableError(f"is nested more than {MAX_DEPTH} levels deep", mark)
