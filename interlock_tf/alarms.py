"""The alarms: thirteen that every installation has and those of ``extended_alarms``, in one table.

All but one go off when something happens; ``watchdog-silent`` goes off when nothing does.

Every name starts with the prefix of the installation, by which the rules for alarms know them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from interlock_tf._cdk import CloudwatchMetricAlarm
from interlock_tf.context import Context
from interlock_tf.metrics import Metric, Watched
from interlock_tf.settings import Settings

#: Over how long a metric is summed, or its maximum taken.
PERIOD_SECONDS = 300
#: Five minutes behind is late enough to matter, and far from the 24 hours that a stream keeps.
ITERATOR_AGE_MILLIS = 300_000
#: An alert older than this does not get through.
ALERT_AGE_SECONDS = 900

#: After how many intervals without a pass the watchdog counts as silent.
SILENT_INTERVALS = 3
_LONGEST_PERIOD = timedelta(days=1)

#: Dead-letter queues by the short names that their alarms have.
_DEAD_LETTERS = {
    "sr_control": ("stream_control_dlq", "records of the control table's stream"),
    "sr_joblog": ("stream_joblog_dlq", "records of the job log's stream"),
    "alert": ("alert_dlq", "alerts"),
    "events": ("events_dlq", "events, ticks and invocations"),
}


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm that goes off when ``metric`` reaches ``threshold`` within one period.

    With ``absence`` it goes off when the metric does not reach it.
    """

    what: str
    description: str
    metric: Metric
    statistic: str = "Sum"
    threshold: int = 1
    period_seconds: int = PERIOD_SECONDS
    absence: bool = False

    @property
    def key(self) -> str:
        """The alarm's key among the alarms, and part of its address: ``dlq_alert_depth``."""
        return self.what.replace("-", "_")


def describe_alarms(watched: Watched, settings: Settings) -> tuple[Alarm, ...]:
    """Every alarm of an installation."""
    if not settings.extended_alarms:
        return tuple(_always(watched))
    return (*_always(watched), *_extended(watched), *_silence(watched, settings.watchdog_interval))


def add_alarms(context: Context, watched: Watched) -> Mapping[str, CloudwatchMetricAlarm]:
    """Add the alarms, by key; they tell the SNS topic, when there is one, and the rules for alarms."""
    topic = context.settings.sns_alarm_topic_arn
    actions = [] if topic is None else [topic]
    return {
        alarm.key: context.add(
            CloudwatchMetricAlarm,
            f"alarm_{alarm.key}",
            alarm_name=context.names(alarm.what),
            alarm_description=alarm.description,
            namespace=alarm.metric.namespace,
            metric_name=alarm.metric.name,
            dimensions=dict(alarm.metric.dimensions),
            statistic=alarm.statistic,
            period=alarm.period_seconds,
            evaluation_periods=1,
            comparison_operator="LessThanThreshold" if alarm.absence else "GreaterThanOrEqualToThreshold",
            threshold=alarm.threshold,
            treat_missing_data="breaching" if alarm.absence else "notBreaching",
            alarm_actions=actions,
            ok_actions=actions,
            tags=context.tags,
        )
        for alarm in describe_alarms(watched, context.settings)
    }


def _always(watched: Watched) -> Iterator[Alarm]:
    for key in watched.functions:
        yield Alarm(
            what=f"{key}-errors",
            description=f"{key} ended with an error",
            metric=watched.function(key, "Errors"),
        )
    yield Alarm(
        what="sfn-failures",
        description="an execution failed: the infrastructure broke a run",
        metric=watched.executions("ExecutionsFailed"),
    )
    for short, (queue, what) in _DEAD_LETTERS.items():
        yield Alarm(
            what=f"dlq-{short}-depth",
            description=f"{what} could not be delivered and wait for somebody to look at them",
            metric=watched.queue(queue, "ApproximateNumberOfMessagesVisible"),
        )
    for stream in ("control", "joblog"):
        yield Alarm(
            what=f"stream-{stream}-iterator-age",
            # CloudWatch tells the age by function alone, not by stream.
            description=f"stream_router is behind in one of its streams, maybe {stream}",
            metric=watched.function("stream_router", "IteratorAge"),
            statistic="Maximum",
            threshold=ITERATOR_AGE_MILLIS,
        )


def _extended(watched: Watched) -> Iterator[Alarm]:
    yield Alarm(
        what="sfn-timeouts",
        description="an execution ran into its timeout",
        metric=watched.executions("ExecutionsTimedOut"),
    )
    yield Alarm(
        what="sfn-aborts",
        description="an execution was stopped by hand",
        metric=watched.executions("ExecutionsAborted"),
    )
    for key in watched.functions:
        yield Alarm(
            what=f"{key}-throttles",
            description=f"{key} was called more often than its concurrency allows",
            metric=watched.function(key, "Throttles"),
        )
    yield Alarm(
        what="alerts-age",
        description="an alert waits for its delivery",
        metric=watched.queue("alert", "ApproximateAgeOfOldestMessage"),
        statistic="Maximum",
        threshold=ALERT_AGE_SECONDS,
    )
    for key in watched.rules:
        yield Alarm(
            what=f"rule-{key}-failed-invocations",
            description=f"the rule {key} could not reach its target",
            metric=watched.rule(key, "FailedInvocations"),
        )
    for key in watched.schedule_groups:
        yield Alarm(
            what=f"schedules-{key}-dropped",
            description=f"Scheduler gave up on a schedule of the group {key}",
            metric=watched.schedule_group(key, "InvocationDroppedCount"),
        )


def _silence(watched: Watched, interval: timedelta | None) -> Iterator[Alarm]:
    """The alarm about a watchdog that does not run, which nothing else can tell.

    There is none when a cron says how often it runs, or when three passes take longer than an alarm can look back.
    """
    if interval is not None and (period := SILENT_INTERVALS * interval) <= _LONGEST_PERIOD:
        seconds = int(period.total_seconds())
        yield Alarm(
            what="watchdog-silent",
            description=f"watchdog has not run for {seconds // 60} minutes: nobody looks for what did not happen",
            metric=watched.function("watchdog", "Invocations"),
            period_seconds=seconds,
            absence=True,
        )
