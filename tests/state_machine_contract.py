"""What ``docs/state-machine.md`` promises, read from its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "state-machine.md"

#: What every task sends, whatever its mode.
IDENTITY = ("mode", "pipelineId", "scheduleId", "date", "attempt", "executionId")

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Sent:
    """What one state sends: its mode, the keys besides :data:`IDENTITY`, and the key of the kept answer."""

    mode: str
    besides: frozenset[str]
    kept_as: str | None


@dataclass(frozen=True)
class Contract:
    """``input`` holds the paths of an execution's input; ``answers`` the keys of each kept answer.

    ``statuses`` are the values of ``status`` in each kept answer.
    """

    input: frozenset[str]
    sent: Mapping[str, Sent]
    answers: Mapping[str, frozenset[str]]
    statuses: Mapping[str, frozenset[str]]


def contract() -> Contract:
    """The contract as it stands in the page."""
    text = PAGE.read_text(encoding="utf-8")
    answers = _rows(text, "What each answer holds")
    kept = {_CODE.findall(row[0])[0] for row in answers}
    return Contract(
        input=frozenset(_input(text)),
        sent={
            row[0]: Sent(
                _CODE.findall(row[1])[0], frozenset(_CODE.findall(row[2])), next(iter(_CODE.findall(row[3])), None)
            )
            for row in _rows(text, "What each task sends")
        },
        answers={
            name: frozenset(_CODE.findall(row[1])[0] for row in answers if _CODE.findall(row[0])[0] == name)
            for name in kept
        },
        statuses={
            _CODE.findall(row[0])[0]: frozenset(_CODE.findall(row[2])) for row in answers if "`status`" in row[1]
        },
    )


def _input(text: str) -> list[str]:
    paths = []
    for key, value in _rows(text, "Input of an execution"):
        name = _CODE.findall(key)[0]
        paths.append(f"$.{name}")
        if value.startswith("object of"):
            paths += [f"$.{name}.{inner}" for inner in _CODE.findall(value)]
    return paths


def _rows(text: str, heading: str) -> list[list[str]]:
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[2:]]
