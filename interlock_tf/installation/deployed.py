"""One deployed installation: its tables, and the pipelines in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.config_rows import config_key, read_config
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.rows import Kind
from interlock_tf.installation.screen import Progress
from interlock_tf.installation.tables import Refusal, Table, as_it_is
from interlock_tf.names import Names

#: How many ids a message lists.
_LISTED = 10


@dataclass(frozen=True)
class Unreadable:
    """A pipeline whose row cannot be read, and why."""

    id: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The tables of one installation, and the time at which it is looked at.

    Whoever reads much does so within ``with installation.progress``.
    """

    names: Names
    control: Table
    joblog: Table
    rerun: Table
    events: Table
    now: datetime
    progress: Progress

    @classmethod
    def through(cls, client: Any, names: Names, *, now: datetime, refused: Refusal = as_it_is) -> Installation:
        """The installation of these names, through a client of DynamoDB. Nothing is asked of it yet."""
        progress = Progress()

        def table(what: str) -> Table:
            return Table(names(what), client, refused=refused, tell=progress)

        return cls(
            names=names,
            control=table("control"),
            joblog=table("joblog"),
            rerun=table("rerun"),
            events=table("events"),
            now=now,
            progress=progress,
        )

    def pipelines(self, ids: Iterable[str] = ()) -> tuple[list[Pipeline], list[Unreadable]]:
        """All pipelines, or those with these ids, in the order of their ids; and those that cannot be read.

        Raises:
            ConfigError: there is no pipeline with one of the ids.
        """
        wanted = sorted(set(ids))
        if wanted:
            found = self.control.get_many(map(config_key, wanted))
            for each in wanted:
                if config_key(each) not in found:
                    raise self._unknown(each)
            stored = list(found.values())
        else:
            stored = list(self.control.of_kind(Kind.CONFIG))
        read: list[Pipeline] = []
        unreadable: list[Unreadable] = []
        for row in sorted(stored, key=lambda row: str(row["PK"])):
            try:
                read.append(read_config(row).pipeline)
            except ConfigError as error:
                unreadable.append(Unreadable(rows.pipeline_of(row["PK"]) or str(row["PK"]), str(error)))
        return read, unreadable

    def pipeline(self, pipeline_id: str) -> Pipeline:
        """One pipeline.

        Raises:
            ConfigError: there is none with that id, or its row cannot be read.
        """
        row = self.control.get(config_key(pipeline_id))
        if row is None:
            raise self._unknown(pipeline_id)
        try:
            return read_config(row).pipeline
        except ConfigError as error:
            problem = Problem(path=f"pipeline {pipeline_id}", message=f"its row cannot be read: {error}")
            raise ConfigError(problem) from None

    def _unknown(self, pipeline_id: str) -> ConfigError:
        known = sorted(rows.pipeline_of(row["PK"]) or "" for row in self.control.of_kind(Kind.CONFIG))
        like = near(pipeline_id, known)
        if like:
            hint = f"did you mean {' or '.join(like)}?"
        elif known:
            more = f", and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
            hint = f"{self.control.name} has {', '.join(known[:_LISTED])}{more}"
        else:
            hint = f"{self.control.name} has no pipeline at all"
        return ConfigError(Problem(path="PIPELINE", message=f"there is no pipeline {pipeline_id!r}; {hint}"))


def near(text: str, known: Iterable[str]) -> list[str]:
    """The names that ``text`` may have been meant to be: similar ones, and those that it is a part of."""
    known = list(known)
    by_case = {each.casefold(): each for each in known}
    similar = [by_case[each] for each in get_close_matches(text.casefold(), by_case, n=3)]
    containing = [each for each in known if len(text) > 2 and text.casefold() in each.casefold()]
    return list(dict.fromkeys([*similar, *containing]))[:3]
