"""What the world outside does to a stack: processes write sensors, people ask for reruns, jobs end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.attributes import encode_item
from interlock_tf.local.jobs import Outcome
from interlock_tf.local.world import World


class Actions:
    """Acts at the instant that it is, and lets happen what follows at once."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write_sensor(self, pipeline_id: str, key: str, fields: Mapping[str, Any]) -> None:
        """Write a sensor's row, with the fields in ``data``."""
        self._put({"PK": rows.pk(pipeline_id), "SK": rows.sensor(key), "data": dict(fields)})

    def request_rerun(self, pipeline_id: str, reason: str, date: str | None = None) -> None:
        """Write a request for a rerun of a date; without one, of the run that was started last.

        Raises:
            ValueError: there was none.
        """
        subject = self._subject(pipeline_id, date)
        sort_key = rows.rerun_request(subject["scheduleId"], subject["date"])
        self._put({"PK": rows.pk(pipeline_id), "SK": sort_key, "reason": reason, "requestedBy": "simulation"})

    def end_job(self, pipeline_id: str, outcome: Outcome) -> None:
        """End the pipeline's running job; without one, it is how the next will end."""
        self._world.jobs.tell(pipeline_id, outcome)
        self._settle()

    def _subject(self, pipeline_id: str, date: str | None) -> Mapping[str, str]:
        if date is not None:
            return {"date": date, "scheduleId": self._world.pipeline(pipeline_id).schedule_id}
        for execution in reversed(self._world.executions.by_arn.values()):
            given = self._world.executions.input_of(execution)
            if given.get("pipelineId") == pipeline_id:
                return {"date": given["date"], "scheduleId": given["scheduleId"]}
        raise ValueError(f"{pipeline_id} has had no run yet; say for which date")

    def _put(self, row: Mapping[str, Any]) -> None:
        self._world.answer("dynamodb", "PutItem", {"TableName": self._world.control_table, "Item": encode_item(row)})
        self._settle()

    def _settle(self) -> None:
        self._world.run_until(self._world.now())
