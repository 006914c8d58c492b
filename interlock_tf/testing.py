"""For tests of your own pipelines: needs the extra ``local``."""

from __future__ import annotations

try:
    from interlock_tf.local.scenario import Scenario
    from interlock_tf.local.terraform_json import Place, StackError
    from interlock_tf.local.timeline import Entry, Kind
except ModuleNotFoundError as error:
    needed = "interlock_tf.testing needs the extra local: pip install 'interlock-tf[local]'"
    raise ModuleNotFoundError(f"{needed} ({error})", name=error.name) from error

__all__ = ["Entry", "Kind", "Place", "Scenario", "StackError"]
