"""For tests of your own pipelines: needs the extra ``local``."""

from __future__ import annotations

from interlock_tf.local.scenario import Scenario
from interlock_tf.local.terraform_json import Place, StackError
from interlock_tf.local.timeline import Entry, Kind

__all__ = ["Entry", "Kind", "Place", "Scenario", "StackError"]
