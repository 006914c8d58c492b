"""Pipeline documents as the runtime reads them, remembered for half a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from interlock_runtime.core.config_rows import Config, config_key, read_config
from interlock_runtime.core.errors import ConfigError
from interlock_runtime.core.rows import Key, Row

#: How long a document that was read is used again, and how long its absence is believed.
KEEP = timedelta(seconds=30)
KEEP_ABSENCE = timedelta(seconds=5)
#: How many documents are remembered at most: about 10 KB each, in functions that may have 128 MB.
CAPACITY = 2_000


class ConfigTable(Protocol):
    """What the cache reads from."""

    def get(self, key: Key) -> Row | None:
        """The row, read consistently."""

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows that exist, read consistently, by key."""


class Configs:
    """The cache. What cannot be read is remembered as such, and the same error raised again."""

    def __init__(self, table: ConfigTable, *, capacity: int = CAPACITY) -> None:
        self._table = table
        self._capacity = capacity
        self._known: dict[str, tuple[datetime, Config | ConfigError | None]] = {}

    def get(self, pipeline_id: str, now: datetime) -> Config | None:
        """The pipeline's document, or None when it has none.

        Raises:
            ConfigError: its row cannot be read.
        """
        if not self._is_known(pipeline_id, now):
            self._remember(pipeline_id, self._table.get(config_key(pipeline_id)), now)
        return self._recall(pipeline_id)

    def get_with(
        self,
        pipeline_id: str,
        keys: Iterable[Key],
        now: datetime,
        *,
        more: Callable[[Config], Iterable[Key]] = lambda _: (),
    ) -> tuple[Config | None, dict[Key, Row]]:
        """The document and the rows under ``keys``, and under ``more`` keys that follow from the document.

        One read when the document is known or nothing follows from it, else two.

        Raises:
            ConfigError: the document's row cannot be read.
        """
        if self._is_known(pipeline_id, now):
            config = self._recall(pipeline_id)
            return config, self._table.get_many([*keys, *(more(config) if config else ())])
        own_key = config_key(pipeline_id)
        found = self._table.get_many([*keys, own_key])
        self._remember(pipeline_id, found.pop(own_key, None), now)
        config = self._recall(pipeline_id)
        return config, found | self._table.get_many(more(config) if config else ())

    def forget(self) -> None:
        """Read every document anew."""
        self._known.clear()

    def _is_known(self, pipeline_id: str, now: datetime) -> bool:
        known = self._known.get(pipeline_id)
        return known is not None and now < known[0]

    def _recall(self, pipeline_id: str) -> Config | None:
        found = self._known[pipeline_id][1]
        if isinstance(found, ConfigError):
            raise ConfigError(found.problems)
        return found

    def _remember(self, pipeline_id: str, row: Row | None, now: datetime) -> None:
        found: Config | ConfigError | None = None
        if row is not None:
            try:
                found = read_config(row)
            except ConfigError as error:
                found = error
        if len(self._known) >= self._capacity:
            self._known.clear()
        self._known[pipeline_id] = (now + (KEEP if found is not None else KEEP_ABSENCE), found)
