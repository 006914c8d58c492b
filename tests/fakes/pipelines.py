"""Pipelines for tests: a small valid document, with sections replaced."""

from __future__ import annotations

from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.reader import read


def pipeline(**sections: Any) -> Pipeline:
    """A pipeline read from a document; ``sections`` are its top-level keys and replace the defaults."""
    document: dict[str, Any] = {
        "pipeline": {"id": "gold"},
        "validation": {"rules": []},
        "job": {"type": "lambda", "config": {"functionName": "gold"}},
    }
    return read(Pipeline, document | sections)
