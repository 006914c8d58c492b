"""What the looks at rows have in common: whose the row is, and whether its date is passed over."""

from __future__ import annotations

from interlock_runtime.control.looks import Look
from interlock_runtime.core import dates
from interlock_runtime.core.config_rows import Config, config_key, read_config
from interlock_runtime.core.dates import ExecutionDate


def config_of(pipeline_id: str) -> Look[Config | None]:
    """The configuration of a pipeline, or None when the pipeline was removed.

    Raises:
        ConfigError: it cannot be read.
    """
    key = config_key(pipeline_id)
    row = (yield [key]).get(key)
    return None if row is None else read_config(row)


def is_passed_over(config: Config, date: str) -> bool:
    """Whether the watchdog has nothing to say about a date: the pipeline is a dry run, or does not run on it."""
    return config.pipeline.dry_run or dates.excluded(config.pipeline, ExecutionDate.parse(date)) is not None
