"""One file as a document: read, brought into its stored form and judged, with its problems placed."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any, Generic, TypeVar

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.findings import Finding, Path, dotted
from interlock_runtime.core.wording import shown
from interlock_tf.documents.canonical import Canonical, canonical
from interlock_tf.documents.placeholders import Variables
from interlock_tf.documents.validation import Fault, Judged, judge
from interlock_tf.documents.yaml_text import MAX_PROBLEMS, Node, read_yaml

T = TypeVar("T")

SUFFIXES = (".yaml", ".yml")


def yaml_files(directory: str | FilePath) -> tuple[str, ...]:
    """The ``*.yaml`` and ``*.yml`` files directly in a directory, hidden ones too, by name.

    Raises:
        ConfigError: there is no such directory, or it cannot be listed.
    """
    root = FilePath(directory)
    try:
        names = sorted(entry.name for entry in root.iterdir() if entry.name.endswith(SUFFIXES) and not entry.is_dir())
    except OSError as error:
        reason = {
            FileNotFoundError: "there is no such directory",
            NotADirectoryError: "is a file; expected a directory",
        }.get(type(error), f"cannot be listed: {error.strerror}")
        raise ConfigError(Problem(str(root), message=reason)) from None
    return tuple(str(root / name) for name in names)


class Source(Generic[T]):
    """A file that holds a document of the class ``kind``, and what was made of it.

    ``document`` and ``data`` (its stored form) are what could be made of it in spite of its
    ``problems``; the document is None when nothing could. Of very many problems the first are told.
    """

    def __init__(self, kind: type[T], file: str, variables: Variables) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.document: T | None = None
        self.data: dict[str, Any] = {}
        self._variables = variables
        self._node = self._read()
        if self._node is None:
            return
        self._broken = {(problem.line, problem.column) for problem in self.problems}
        self._canonical: Canonical = canonical(kind, self._node.value, variables)
        for finding in self._canonical.findings:
            self._place(finding)
        self._judged: Judged[T] = judge(kind, self._canonical.data)
        for fault in self._judged.faults:
            self._add(fault)
        self.document, self.data = self._judged.document, self._judged.data

    def complain(self, finding: Finding) -> None:
        """Add a finding about ``document`` or ``data``, unless it only repeats what was found before."""
        salvage = self._judged.salvage
        placed = salvage.placed(finding) if salvage else finding
        if placed is not None:
            self._add(placed)

    def problem(self, path: Path, message: str, *, of_key: bool = False) -> Problem:
        """A problem at a path of the stored form; of a path that is not there, at what is there of it."""
        if self._node is None:
            return Problem(self.file, path=dotted(path), message=message)
        written = self._canonical.written(path)
        line, column = self._node.find(written, key=of_key)
        return Problem(self.file, line, column, dotted(written), message)

    def _read(self) -> Node | None:
        file = FilePath(self.file)
        try:
            # Nobody may ever write to a pipe. One that a shell hands over has no such name.
            special = file.name.endswith(SUFFIXES) and file.exists() and not file.is_file()
            raw = b"" if special else file.read_bytes()
        except OSError as error:
            self.problems.append(Problem(self.file, message=f"cannot be read: {error.strerror or error}"))
            return None
        if special:
            self.problems.append(Problem(self.file, message="is no regular file; expected one with YAML in it"))
            return None
        node, self.problems = read_yaml(raw, self.file)
        if node is None or isinstance(node.value, dict):
            return node
        empty = node.value is None
        message = "is empty; expected a map" if empty else f"is {shown(node.value)}; expected a map of keys and values"
        self.problems.append(Problem(self.file, *node.place, message=message))
        return None

    def _add(self, finding: Finding) -> None:
        """Place a finding, unless it is about something whose spelling was found fault with before."""
        if not any(finding.hinges_on(told.path) for told in self._canonical.findings):
            self._place(finding)

    def _place(self, finding: Finding) -> None:
        message = finding.message
        if self._needs_literal(finding):
            message = "holds a Terraform value, which is not known at synth: a literal is needed here"
        problem = self.problem(finding.path, message, of_key=isinstance(finding, Fault) and finding.of_key)
        told = self.warnings if finding.warning else self.problems
        if len(told) > MAX_PROBLEMS or problem in told or (problem.line, problem.column) in self._broken:
            return
        if len(told) == MAX_PROBLEMS:
            problem = Problem(self.file, message=f"has more problems than the {MAX_PROBLEMS} told here")
        told.append(problem)

    def _needs_literal(self, finding: Finding) -> bool:
        if finding.warning or not self._variables.expressions:
            return False
        value = _at(self._canonical.data, finding.path)
        return isinstance(value, str) and self._variables.hold(value)


def _at(value: Any, path: Path) -> Any:
    """The value that a path leads to, or None."""
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return value
