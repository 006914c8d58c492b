"""A record of the AWS calls that the fakes stand for, and the means to die after any of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


class Killed(BaseException):
    """The function was killed; nothing in it may catch this."""


@dataclass
class Calls:
    """Counts calls in order; after call number ``kill_after`` has had its effect, the caller dies.

    ``fail`` names calls (such as ``events:PutEvents``) that raise instead of having an effect,
    with the exception to raise.
    """

    made: list[str] = field(default_factory=list)
    kill_after: int | None = None
    fail: dict[str, Exception] = field(default_factory=dict)

    def before(self, name: str) -> None:
        """A call is about to have its effect."""
        if name in self.fail:
            raise self.fail[name]

    def after(self, name: str) -> None:
        """A call has had its effect."""
        self.made.append(name)
        if self.kill_after is not None and len(self.made) >= self.kill_after:
            raise Killed(name)

    def reset(self) -> None:
        """Forget what was called, and kill and fail nobody."""
        self.made.clear()
        self.fail.clear()
        self.kill_after = None

    @property
    def by_name(self) -> Counter[str]:
        """How often each call was made."""
        return Counter(self.made)
