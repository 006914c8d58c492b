"""Many resources of one type as one element.

A resource object costs a millisecond and a few calls to the JavaScript engine. That is nothing for
the sixty resources of an installation, but there is one row for each pipeline, and thousands of
pipelines are meant to work. A batch crosses to the engine once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from interlock_tf._cdk import Construct, TerraformElement

_REFUSED = re.compile(r"[^A-Za-z0-9_-]")


class Batch(TerraformElement):
    """Resources of the Terraform type ``kind``, by the last part of their address."""

    def __init__(self, scope: Construct, name: str, *, kind: str, resources: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(scope, name)
        self._resources = {"resource": {kind: {address: dict(each) for address, each in resources.items()}}}

    def to_terraform(self) -> Any:
        """The resources as Terraform JSON; CDKTF calls it, and resolves the tokens inside."""
        return self._resources


def address_part(text: str) -> str:
    """``text`` as a part of a Terraform address, still readable, and different for different texts.

    A text in which a character has to be replaced (a pipeline id may contain dots) ends in a
    hash of the original.
    """
    clean = _REFUSED.sub("_", text)
    return clean if clean == text else f"{clean}_{sha256(text.encode()).hexdigest()[:8]}"
