"""Writes the timeline of a world: who did what, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.attributes import decode_item
from interlock_runtime.core.events import SOURCE
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rerun_requests import INTERLOCK
from interlock_runtime.core.rules import Sensor, belongs
from interlock_runtime.core.sensors import all_keys
from interlock_tf.installation.sensor_rows import nobody_reads
from interlock_tf.local import alarms, executions
from interlock_tf.local.bus import Rule, Target
from interlock_tf.local.functions import Answer, LocalFunction
from interlock_tf.local.jobs import Job
from interlock_tf.local.scheduler import Schedule
from interlock_tf.local.streams import Record
from interlock_tf.local.tables import Item
from interlock_tf.local.timeline import Entry, Kind, spelt
from interlock_tf.local.world import World

#: What stands in the router's line about a record of a sensor, and the fields that say why.
_ABOUT_A_SENSOR = f'"row":"{rows.SENSOR_PREFIX}'
_REASONS = ("reason", "reasons", "deadline", "earlier", "problem", "ignored")
#: A start is an entry of its own.
_TOLD_OTHERWISE = frozenset({"run started"})


class Recorder:
    """Listens to a world, from the beginning on. ``entries`` grow as time passes."""

    def __init__(self, world: World) -> None:
        self.entries: list[Entry] = []
        self._world = world
        self._seen: set[str] = set()
        self._refusals: set[str] = set()
        self._lines: set[tuple[str, str]] = set()
        self._verdicts: dict[tuple[str, str, int], tuple[str, ...]] = {}
        self._control = world.control_table
        self._control_stream = world.streams.arns.get(self._control)
        world.streams.listeners.append(self._streamed)
        world.tables.unchanged = self._rewritten
        world.functions.printed = self._printed
        world.bus.listeners.append(self._published)
        world.bus.undelivered = self._undelivered
        world.scheduler.fired = self._ticked
        world.jobs.changed = self._job_changed
        world.functions.returned = self._returned
        count, world.functions.failed = world.functions.failed, self._failed
        self._count = count
        world.permissions.roles.refused = self._refused
        send, world.functions.dead_letter = world.functions.dead_letter, self._lost
        self._send = send

    def _note(
        self, kind: Kind, what: str, *, about: Mapping[str, Any], why: str = "", detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write an entry about a pipeline and date (``pipelineId`` and ``date`` of ``about``)."""
        self.entries.append(
            Entry(
                at=self._world.now(),
                kind=kind,
                what=what,
                pipeline_id=about.get("pipelineId"),
                date=about.get("date"),
                why=why,
                detail=detail or {},
            )
        )

    def _streamed(self, record: Record) -> None:
        """Tell of what people and processes write, however they do."""
        image = record["dynamodb"].get("NewImage")
        if record["eventSourceARN"] == self._control_stream and image is not None:
            self._written(image)

    def _rewritten(self, table: str, image: Item) -> None:
        """Tell of what is written as it stood there already."""
        if table == self._control and (about := self._written(image)) is not None:
            why = "nothing has changed in the row, and so DynamoDB tells nobody of the write"
            self._note(Kind.NOTE, "no event", about=about, why=why)

    def _written(self, image: Item) -> Mapping[str, Any] | None:
        """Tell of a sensor, or of what somebody asks for; what it is about, or None when the row is another."""
        sort_key = str(image["SK"].get("S"))
        if not sort_key.startswith((rows.SENSOR_PREFIX, rows.RERUN_REQUEST_PREFIX)):
            return None
        try:
            row = plain(decode_item(image))
        except ValueError:
            return None
        if row.get("requestedBy") == INTERLOCK and sort_key.startswith(rows.RERUN_REQUEST_PREFIX):
            return None  # what became of it is told by its event
        about = {"pipelineId": rows.pipeline_of(row.get("PK"))}
        if (key := rows.sensor_key(sort_key)) is not None:
            fields = Sensor.of_row(key, row).fields
            why = ", ".join(f"{name}={spelt(value)}" for name, value in fields.items())
            self._note(Kind.SENSOR, key, about=about, why=why, detail=fields)
            self._unread(about["pipelineId"], key)
        else:
            subject = rows.run_key(sort_key, rows.RERUN_REQUEST_PREFIX)
            date = subject.date if subject else None
            self._note(Kind.REQUEST, "rerun", about=about | {"date": date}, why=str(row.get("reason") or ""))
        return about

    def _unread(self, pipeline_id: str | None, key: str) -> None:
        """Tell of a sensor that no rule of its pipeline looks at: its key may be mistyped."""
        pipeline = self._world.pipelines().get(pipeline_id or "")
        if pipeline is not None and not any(belongs(key, each) for each in all_keys(pipeline)):
            self._note(
                Kind.NOTE, "no rule reads it", about={"pipelineId": pipeline_id}, why=nobody_reads(pipeline, key)
            )

    def _printed(self, line: str) -> None:
        """Tell of a sensor what the router says: why nothing starts, once for each write and reason."""
        if _ABOUT_A_SENSOR not in line:
            return
        told = json.loads(line)
        message, said = told["message"], (told["correlation_id"], told["message"])
        if message in _TOLD_OTHERWISE or said in self._lines:
            return
        self._lines.add(said)
        about = {"pipelineId": told["pipeline"], "date": told.get("date")}
        given = {name: told[name] for name in _REASONS if name in told}
        reasons = [f"{name}: {each if isinstance(each, str) else spelt(each)}" for name, each in given.items()]
        self._note(Kind.NOTE, message, about=about, why="; ".join([rows.sensor_key(told["row"]) or "", *reasons]))

    def _published(self, event: Mapping[str, Any]) -> None:
        detail, kind = event["detail"], event["detail-type"]
        if event["source"] == SOURCE:
            key = detail.get("dedupeKey")
            if key not in self._seen:
                self._seen.add(key)
                self._note(
                    Kind.EVENT, kind, about=detail, why=detail.get("message", ""), detail=detail.get("detail", {})
                )
        elif kind == alarms.CHANGED:
            state = detail["state"]
            self._note(Kind.ALARM, f"{state['value']} {detail['alarmName']}", about={}, why=state["reason"])
        elif kind == executions.CHANGED:
            execution = self._world.executions.by_arn[detail["executionArn"]]
            given = self._world.executions.input_of(execution)
            what = {"RUNNING": "starts", "SUCCEEDED": "ends"}.get(detail["status"], str(detail["status"]).lower())
            self._note(
                Kind.RUN, what, about=given, why=f"attempt {given.get('attempt')}", detail={"execution": execution.name}
            )

    def _ticked(self, schedule: Schedule, event: Any) -> None:
        if isinstance(event, Mapping) and "scheduledAt" in event:
            self._note(Kind.TICK, str(event["mode"]), about=event, why=f"{schedule.expression} fires")

    def _job_changed(self, job: Job) -> None:
        about = {"pipelineId": job.pipeline_id, "date": job.date}
        what = "starts" if job.outcome is None else str(job.outcome)
        self._note(
            Kind.JOB, what, about=about, why=f"{job.service} {job.name}".strip(), detail={"attempt": job.attempt}
        )

    def _returned(self, function: LocalFunction, event: Any, answer: Answer) -> None:
        if not isinstance(event, Mapping) or event.get("mode") != "evaluate":
            return
        results = answer.payload["results"]
        reasons = tuple(f"{each['reason']}" for each in results if not each["passed"])
        subject = (event["pipelineId"], event["date"], event["attempt"])
        told = (answer.payload["status"], *reasons)
        if self._verdicts.get(subject) != told and answer.payload["status"] != "superseded":
            self._verdicts[subject] = told
            self._note(
                Kind.EVALUATION,
                str(answer.payload["status"]).replace("_", " "),
                about=event,
                why=_verdict(results, passed=answer.payload["status"] == "passed"),
                detail={"attempt": event["attempt"], "results": results},
            )

    def _failed(self, function: LocalFunction, event: Any, answer: Answer) -> None:
        self._count(function, event, answer)
        error = answer.error or {}
        about = event if isinstance(event, Mapping) else {}
        self._note(Kind.FAILURE, function.name, about=about, why=f"{error['errorType']}: {error['errorMessage']}")

    def _refused(self, text: str) -> None:
        if text not in self._refusals:
            self._refusals.add(text)
            self._note(Kind.FAILURE, "access denied", about={}, why=text)

    def _lost(self, arn: str, record: Any) -> None:
        self._note(Kind.FAILURE, "dead letter", about={}, why=f"to {arn.rpartition(':')[2]}", detail={"record": record})
        self._send(arn, record)

    def _undelivered(self, rule: Rule, target: Target, reason: str) -> None:
        self._note(Kind.FAILURE, "undelivered", about={}, why=f"{rule.name} to {target.address}: {reason}")


def _verdict(results: Sequence[Mapping[str, Any]], *, passed: bool) -> str:
    """Why an evaluation ended as it did, each reason once; one rule may have been enough for it to pass."""
    failing = _reasons(results, passed=False)
    if passed and failing:
        return f"one rule is enough: {_reasons(results, passed=True)}"
    return failing or "every rule holds"


def _reasons(results: Sequence[Mapping[str, Any]], *, passed: bool) -> str:
    return "; ".join(dict.fromkeys(str(each["reason"]) for each in results if each["passed"] is passed))
