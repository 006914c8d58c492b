"""The physical names of an installation, as the construct gives them and the command line looks for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """Physical names: ``<environment>-interlock-<what>``, with ``-<name_suffix>`` at the end when there is one."""

    environment: str
    suffix: str = ""

    @property
    def prefix(self) -> str:
        """What every physical name starts with, its dash included."""
        return f"{self.environment}-interlock-"

    @property
    def ending(self) -> str:
        """What every physical name ends with: ``-<name_suffix>``, or nothing."""
        return f"-{self.suffix}" if self.suffix else ""

    def __call__(self, what: str) -> str:
        """The physical name of ``what``: ``control`` is ``dev-interlock-control``."""
        return f"{self.prefix}{what}{self.ending}"
