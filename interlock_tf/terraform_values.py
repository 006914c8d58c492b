"""Values that Terraform alone knows: how CDKTF hands them out, and how people write them."""

from __future__ import annotations

from collections.abc import Iterable

#: How CDKTF marks a list.
_LIST = "#{TfToken["
#: CDKTF's numbers are below this one, which nobody means.
_NUMBER = -1e289


def is_token(value: object) -> bool:
    """Whether a string holds something that only Terraform can resolve: a CDKTF token or an expression."""
    return isinstance(value, str) and ("${" in value or _LIST in value)


def is_unresolved(value: object) -> bool:
    """Whether it is such a string, a number that stands for one of Terraform's, or an object of CDKTF."""
    if isinstance(value, float):
        return value < _NUMBER
    return is_token(value) or type(value).__module__.partition(".")[0] == "jsii"


def holds_list(values: Iterable[object]) -> bool:
    """Whether an entry stands for a list, whose entries are then unknown."""
    return any(isinstance(value, str) and _LIST in value for value in values)
