"""Values of ``job.config`` that a job type makes something of, read at a start and judged at synth."""

from __future__ import annotations

import shlex


def words_of(command: str) -> list[str]:
    """The words of a command, as a shell would split it.

    Raises:
        ValueError: it cannot be split, or holds no word.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"cannot be split into words: {error}") from error
    if not words:
        raise ValueError("holds no word")
    return words


def number_of(job_id: str | int) -> int:
    """The number of a Databricks job.

    Raises:
        ValueError: it is not one.
    """
    try:
        return int(job_id)
    except ValueError:
        raise ValueError("is not a number") from None
