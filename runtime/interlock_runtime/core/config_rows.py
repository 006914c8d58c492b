"""The ``CONFIG`` rows of the control table: a pipeline's document as Terraform stored it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.reader import read
from interlock_runtime.core.rows import Key, Row


@dataclass(frozen=True)
class Config:
    """One pipeline: the types, and the document they were read from."""

    pipeline: Pipeline
    document: Mapping[str, Any]

    @property
    def sla(self) -> Mapping[str, Any] | None:
        """``sla`` as the document has it."""
        return self.document.get("sla")


def config_key(pipeline_id: str) -> Key:
    """The key of a pipeline's row."""
    return rows.pk(pipeline_id), rows.CONFIG


def read_config(row: Row) -> Config:
    """The pipeline in a ``CONFIG`` row.

    Raises:
        ConfigError: the row holds no document that can be read.
    """
    try:
        document = json.loads(row["config"])
    except KeyError:
        raise ConfigError(Problem(path="config", message="the row has no such attribute")) from None
    except (TypeError, ValueError) as error:
        raise ConfigError(Problem(path="config", message=f"is not JSON: {error}")) from None
    except RecursionError:
        raise ConfigError(Problem(path="config", message="is nested too deeply")) from None
    pipeline = read(Pipeline, document)
    if rows.pk(pipeline.id) != row.get("PK"):
        message = f"is {pipeline.id!r}, in the row of {row.get('PK')!r}"
        raise ConfigError(Problem(path="pipeline.id", message=message))
    return Config(pipeline, document)
