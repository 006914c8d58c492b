"""What exists in an AWS, read back from it and grouped for a person to look at."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from interlock_runtime.core.documents import Pipeline, Schedule
from interlock_runtime.core.reader import read
from interlock_runtime.core.rows import Kind
from interlock_tf.local.embedded import EmbeddedAws

Row = tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One group of things that exist: a heading, the columns' names, a row for each thing."""

    title: str
    columns: Row
    rows: Sequence[Row]


@dataclass(frozen=True)
class Inventory:
    """Reads what one installation of Interlock left in an AWS.

    ``prefix`` is what its physical names start with, ``dev-interlock-``; it is not repeated in the
    sections.
    """

    aws: EmbeddedAws
    prefix: str

    def sections(self) -> Iterator[Section]:
        """Yield the groups, the most telling first; a group of which nothing exists has no rows."""
        yield Section("Pipelines", ("pipeline", "a run starts", "rules", "job", "due"), sorted(self._pipelines()))
        yield Section("Functions", ("function", "memory", "timeout", "called by"), sorted(self._functions()))
        yield Section("Tables", ("table", "rows", "stream", "index"), sorted(self._tables()))
        yield Section("Queues", ("queue", "keeps", "gives up after", "and sends to"), sorted(self._queues()))
        yield Section("Rules", ("rule", "when", "sends to"), sorted(self._rules()))
        yield Section("Schedules", ("schedule", "when", "timezone", "calls"), sorted(self._schedules()))
        yield Section("Also", ("what", "how many", "which"), list(self._rest()))

    def _pipelines(self) -> Iterator[Row]:
        client, table = self.aws.client("dynamodb"), f"{self.prefix}control"
        if table not in _pages(client, "list_tables", "TableNames"):
            return
        rows = client.query(
            TableName=table,
            IndexName="kind-index",
            KeyConditionExpression="interlockKind = :kind",
            ExpressionAttributeValues={":kind": {"S": Kind.CONFIG}},
        )["Items"]
        for row in rows:
            pipeline = read(Pipeline, json.loads(row["config"]["S"]))
            rules = str(len(pipeline.validation.rules))
            yield (pipeline.id, _start(pipeline), rules, pipeline.job.type, _due(pipeline))

    def _functions(self) -> Iterator[Row]:
        callers = self._callers()
        for each in _pages(self.aws.client("lambda"), "list_functions", "Functions"):
            memory, timeout = f"{each['MemorySize']} MB", f"{each['Timeout']} s"
            yield (self._short(each["FunctionName"]), memory, timeout, ", ".join(sorted(callers[each["FunctionArn"]])))

    def _callers(self) -> Mapping[str, list[str]]:
        callers: defaultdict[str, list[str]] = defaultdict(list)
        for each in _pages(self.aws.client("lambda"), "list_event_source_mappings", "EventSourceMappings"):
            service, source = each["EventSourceArn"].split(":")[2], self._short(each["EventSourceArn"])
            callers[each["FunctionArn"]].append(f"{'stream' if service == 'dynamodb' else 'queue'} {source}")
        for bus, rule in self._all_rules():
            for target in self._targets(bus, rule):
                callers[target].append(f"rule {self._short(rule['Name'])}")
        for target, count in Counter(schedule["Target"]["Arn"] for schedule in self._all_schedules()).items():
            callers[target].append(f"{count} schedule{'s' if count > 1 else ''}")
        for _, states in self._machines():
            for function in sorted({state["Resource"] for state in states.values() if "Resource" in state}):
                callers[function].append("the state machine")
        return callers

    def _tables(self) -> Iterator[Row]:
        client = self.aws.client("dynamodb")
        for name in _pages(client, "list_tables", "TableNames"):
            table = client.describe_table(TableName=name)["Table"]
            indexes = ", ".join(index["IndexName"] for index in table.get("GlobalSecondaryIndexes", ()))
            stream = "yes" if table.get("StreamSpecification", {}).get("StreamEnabled") else "no"
            yield (self._short(name), str(table["ItemCount"]), stream, indexes)

    def _queues(self) -> Iterator[Row]:
        client = self.aws.client("sqs")
        for url in _pages(client, "list_queues", "QueueUrls"):
            attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            kept = _words(timedelta(seconds=int(attributes["MessageRetentionPeriod"])))
            redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
            gives_up = f"{redrive['maxReceiveCount']} tries" if redrive else ""
            yield (self._short(url), kept, gives_up, self._short(redrive.get("deadLetterTargetArn", "")))

    def _rules(self) -> Iterator[Row]:
        for bus, rule in self._all_rules():
            pattern = json.loads(rule.get("EventPattern", "{}"))
            when = rule.get("ScheduleExpression") or _pattern(pattern)
            yield (self._short(rule["Name"]), when, ", ".join(map(self._short, self._targets(bus, rule))))

    def _schedules(self) -> Iterator[Row]:
        for each in self._all_schedules():
            when, zone = each["ScheduleExpression"], each["ScheduleExpressionTimezone"]
            yield (self._short(each["Name"]), when, zone, self._short(each["Target"]["Arn"]))

    def _rest(self) -> Iterator[Row]:
        for name, states in self._machines():
            yield ("states", str(len(states)), f"of the state machine {self._short(name)}")
        for what, service, operation, key, name in (
            ("roles", "iam", "list_roles", "Roles", "RoleName"),
            ("alarms", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
            ("log groups", "logs", "describe_log_groups", "logGroups", "logGroupName"),
            ("dashboards", "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        ):
            names = sorted(self._short(each[name]) for each in _pages(self.aws.client(service), operation, key))
            if names:
                yield (what, str(len(names)), ", ".join(names))

    def _machines(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        client = self.aws.client("stepfunctions")
        for machine in _pages(client, "list_state_machines", "stateMachines"):
            definition = client.describe_state_machine(stateMachineArn=machine["stateMachineArn"])["definition"]
            yield machine["name"], json.loads(definition)["States"]

    def _all_rules(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        client = self.aws.client("events")
        for bus in client.list_event_buses()["EventBuses"]:
            for rule in client.list_rules(EventBusName=bus["Name"])["Rules"]:
                yield bus["Name"], rule

    def _targets(self, bus: str, rule: Mapping[str, Any]) -> list[str]:
        targets = self.aws.client("events").list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]
        return [target["Arn"] for target in targets]

    def _all_schedules(self) -> Iterator[Mapping[str, Any]]:
        client = self.aws.client("scheduler")
        for each in _pages(client, "list_schedules", "Schedules"):
            yield client.get_schedule(Name=each["Name"], GroupName=each["GroupName"])

    def _short(self, name: str) -> str:
        """Return what follows the prefix in a name, an ARN or a URL, and nothing after it."""
        return name.rpartition(self.prefix)[2].partition("/")[0] if self.prefix in name else name


def _pages(client: Any, operation: str, key: str) -> Iterator[Any]:
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate():
            yield from page.get(key, ())
    else:
        yield from getattr(client, operation)().get(key, ())


def _start(pipeline: Pipeline) -> str:
    schedule = pipeline.schedule
    ways = [way for way in _ways_to_start(schedule) if way]
    return " or ".join(ways) + (" (dry run)" if pipeline.dry_run else "")


def _ways_to_start(schedule: Schedule) -> Iterator[str]:
    if schedule.cron:
        yield f"by cron {schedule.cron}"
    if schedule.trigger:
        yield f"on sensor {schedule.trigger.key}"
    elif schedule.include and schedule.time:
        yield f"on {len(schedule.include.dates)} dates at {schedule.time:%H:%M}"


def _due(pipeline: Pipeline) -> str:
    if pipeline.sla is None:
        return ""
    absolute = str(pipeline.sla.deadline) if pipeline.sla.deadline else ""
    relative = f"{_words(pipeline.sla.max_duration)} after arrival" if pipeline.sla.max_duration else ""
    return " and ".join(filter(None, (absolute, relative)))


def _pattern(pattern: Mapping[str, Any]) -> str:
    kinds = pattern.get("detail-type", ())
    source = ", ".join(pattern.get("source", ()))
    return f"{source}: {kinds[0] if len(kinds) == 1 else f'{len(kinds)} types' if kinds else 'everything'}"


def _words(duration: timedelta) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if duration.total_seconds() % size == 0:
            return f"{duration.total_seconds() // size:.0f} {unit}"
    return f"{duration.total_seconds():.0f} s"
