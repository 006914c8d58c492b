"""What several fields of a document must satisfy together."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from interlock_runtime.core.checks import check
from interlock_runtime.core.findings import Finding, dotted, related
from tests.fakes.pipelines import pipeline

TODAY = date(2026, 11, 24)
TRIGGER = {"key": "landed", "check": "exists"}
RULES = {"rules": [{"key": "landed", "check": "exists"}]}


def found(*, sfn_timeout_seconds: int = 14400, **sections: Any) -> list[Finding]:
    document = pipeline(**{"schedule": {"trigger": TRIGGER}, "validation": RULES, **sections})
    return list(check(document, today=TODAY, sfn_timeout_seconds=sfn_timeout_seconds, foreign=("foreign.arn",)))


def errors(**sections: Any) -> dict[str, str]:
    return {dotted(finding.path): finding.message for finding in found(**sections) if not finding.warning}


def warnings(**sections: Any) -> dict[str, str]:
    return {dotted(finding.path): finding.message for finding in found(**sections) if finding.warning}


def job(type_: str, /, **config: Any) -> dict[str, Any]:
    return {"type": type_, "config": config}


def test_nothing_is_wrong_with_a_good_document() -> None:
    assert found() == []


class TestStart:
    @pytest.mark.parametrize(
        "schedule",
        [
            {"cron": "0 6 * * *"},
            {"trigger": TRIGGER},
            {"include": {"dates": ["2026-12-24"]}, "time": "06:00"},
            {"include": {"dates": ["2026-12-24"]}, "trigger": TRIGGER},
            {"cron": "0 6 * * *", "trigger": TRIGGER, "time": "07:00"},
        ],
    )
    def test_any_of_these_starts_a_run(self, schedule: dict[str, Any]) -> None:
        assert found(schedule=schedule) == []

    def test_without_any_nothing_does(self) -> None:
        assert errors(schedule={"timezone": "UTC"})["schedule"].startswith("nothing starts this pipeline: give")

    def test_dates_without_a_time_start_nothing(self) -> None:
        told = errors(schedule={"include": {"dates": ["2026-12-24"]}})
        assert told["schedule.include"].startswith("lists dates, but nothing starts a run on them")

    def test_dates_and_a_cron_exclude_each_other(self) -> None:
        told = errors(schedule={"cron": "0 6 * * *", "include": {"dates": ["2026-12-24"]}})
        assert told["schedule.include"].startswith("cannot stand beside schedule.cron")

    def test_a_dry_run_needs_a_trigger(self) -> None:
        assert "needs schedule.trigger" in errors(dryRun=True, schedule={"cron": "0 6 * * *"})["dryRun"]
        assert found(dryRun=True) == []


class TestSchedule:
    def test_a_cron_fires_once_in_an_hour_at_most(self) -> None:
        told = errors(schedule={"cron": "*/15 6 * * *"})
        assert told["schedule.cron"].startswith("'*/15 6 * * *' fires 4 times in an hour")

    def test_a_cron_on_days_that_do_not_exist_never_fires(self) -> None:
        told = errors(schedule={"cron": "0 0 31 2 *"})
        assert told == {"schedule.cron": "'0 0 31 2 *' never fires: it names days that do not exist"}

    def test_the_window_holds_an_interval(self) -> None:
        told = errors(schedule={"trigger": TRIGGER, "evaluation": {"window": "1m", "interval": "90s"}})
        assert told["schedule.evaluation.window"].startswith("1m is shorter than the interval, 1m30s")

    def test_a_window_of_one_interval_is_enough(self) -> None:
        assert found(schedule={"trigger": TRIGGER, "evaluation": {"window": "90s", "interval": "90s"}}) == []

    def test_a_time_without_expected_dates_has_no_effect(self) -> None:
        assert "has no effect" in warnings(schedule={"trigger": TRIGGER, "time": "06:00"})["schedule.time"]

    def test_dates_that_are_over_are_a_warning(self) -> None:
        schedule = {"include": {"dates": ["2026-11-23", "2020-01-01"]}, "time": "06:00"}
        assert errors(schedule=schedule) == {}
        told = warnings(schedule=schedule)["schedule.include.dates"]
        assert told == "are all in the past, the last is 2026-11-23; no run is expected"

    def test_today_is_not_over(self) -> None:
        assert found(schedule={"include": {"dates": ["2026-11-24"]}, "time": "06:00"}) == []

    def test_an_expected_date_that_is_excluded_is_a_warning(self) -> None:
        include = {"dates": ["2026-12-24", "2026-12-26"]}
        told = warnings(schedule={"include": include, "time": "06:00", "exclude": {"weekends": True}})
        assert told["schedule.include.dates[1]"].startswith("will not run: 2026-12-26 is a Saturday")

    def test_a_week_without_a_day_is_a_warning(self) -> None:
        days = ["monday", "tuesday", "wednesday", "thursday", "friday"]
        told = warnings(schedule={"trigger": TRIGGER, "exclude": {"days": days, "weekends": True}})
        assert told["schedule.exclude"].startswith("excludes every day of the week")


HOURLY_SLA = {"deadline": ":45", "expectedDuration": "10m"}


class TestDeadlines:
    def test_minutes_past_the_hour_need_an_hourly_cron(self) -> None:
        told = errors(schedule={"cron": "0 6 * * *"}, sla=HOURLY_SLA)
        assert told["sla.deadline"].startswith("':45' is for pipelines that run every hour, but the cron '0 6 * * *'")

    def test_so_they_do_in_a_trigger(self) -> None:
        told = errors(schedule={"cron": "0 6 * * *", "trigger": {**TRIGGER, "deadline": ":30"}})
        assert "once a day at most" in told["schedule.trigger.deadline"]

    def test_they_contradict_listed_days(self) -> None:
        schedule = {"include": {"dates": ["2026-12-24"]}, "trigger": TRIGGER}
        assert "lists days" in errors(schedule=schedule, sla=HOURLY_SLA)["sla.deadline"]

    @pytest.mark.parametrize("schedule", [{"cron": "0 * * * *"}, {"trigger": TRIGGER}, {"cron": "0 6,18 * * *"}])
    def test_they_are_fine_for_an_hourly_pipeline(self, schedule: dict[str, Any]) -> None:
        assert found(schedule=schedule, sla=HOURLY_SLA) == []

    def test_a_time_of_day_is_fine_for_any_pipeline(self) -> None:
        sla = {"deadline": "06:30", "expectedDuration": "10m", "dayOffset": 1}
        assert found(schedule={"cron": "0 6 * * *"}, sla=sla) == []

    def test_a_day_offset_without_a_deadline_has_no_effect(self) -> None:
        schedule = {"trigger": {**TRIGGER, "dayOffset": 1}}
        assert warnings(schedule=schedule) == {
            "schedule.trigger.dayOffset": "has no effect without a deadline",
        }

    def test_a_day_offset_of_an_hourly_pipeline_has_no_effect(self) -> None:
        assert "every hour" in warnings(sla={**HOURLY_SLA, "dayOffset": 0})["sla.dayOffset"]


class TestSla:
    def test_a_deadline_needs_an_expected_duration(self) -> None:
        assert errors(sla={"deadline": "06:00"})["sla.deadline"].startswith("needs sla.expectedDuration")

    def test_a_relative_sla_needs_a_trigger(self) -> None:
        told = errors(schedule={"cron": "0 6 * * *"}, sla={"maxDuration": "1h"})
        assert told["sla.maxDuration"].startswith("needs schedule.trigger")

    def test_a_relative_sla_needs_nothing_else(self) -> None:
        assert found(sla={"maxDuration": "1h"}) == []

    def test_an_sla_without_any_limit_has_no_effect(self) -> None:
        assert warnings(sla={"critical": True})["sla"].startswith("has no effect")

    def test_a_warning_after_the_breach_is_one_about_it(self) -> None:
        told = warnings(sla={"maxDuration": "1h", "expectedDuration": "60m"})
        assert "no warning comes before the breach" in told["sla.expectedDuration"]


class TestRules:
    def test_no_rules_with_a_trigger_or_a_cron_are_a_warning(self) -> None:
        for schedule in ({"trigger": TRIGGER}, {"cron": "0 6 * * *"}):
            told = warnings(schedule=schedule, validation={"rules": []})
            assert told == {"validation.rules": "is empty: the job will start without any check"}

    def test_no_rules_with_dates_alone_are_an_error(self) -> None:
        schedule = {"include": {"dates": ["2026-12-24"]}, "time": "06:00"}
        assert "add a rule" in errors(schedule=schedule, validation={"rules": []})["validation.rules"]

    def test_no_post_run_rules_watch_nothing(self) -> None:
        assert warnings(postRun={"rules": []})["postRun.rules"].startswith("is empty: nothing is watched")

    @pytest.mark.parametrize("check_", ["equals", "gt", "gte", "lt", "lte", "age_lt", "age_gt"])
    def test_every_check_but_exists_needs_field_and_value(self, check_: str) -> None:
        rule = {"key": "a", "check": check_}
        told = errors(schedule={"trigger": rule}, validation={"rules": [rule]}, postRun={"rules": [rule]})
        for path in ("schedule.trigger", "validation.rules[0]", "postRun.rules[0]"):
            assert told[f"{path}.field"].startswith(f"is required by the check {check_}")
            assert told[f"{path}.value"].startswith(f"is required by the check {check_}")

    @pytest.mark.parametrize(
        ("check_", "value"),
        [
            ("equals", "x"),
            ("equals", 0),
            ("equals", False),
            ("gt", 0),
            ("lte", -1.5),
            ("age_lt", "90m"),
            ("age_gt", "2d"),
        ],
    )
    def test_a_value_that_fits_its_check_is_fine(self, check_: str, value: object) -> None:
        assert found(validation={"rules": [{"key": "a", "check": check_, "field": "f", "value": value}]}) == []

    @pytest.mark.parametrize(
        ("check_", "value", "message"),
        [
            ("equals", ["x"], "a list of 1 is not valid for equals: give text, a number, true or false"),
            ("equals", {}, "a map of 0 is not valid for equals: give text, a number, true or false"),
            ("gt", "5", "'5' is not valid for gt: give a number, without quotes"),
            ("lt", True, "true is not valid for lt: give a number, without quotes"),
            ("age_lt", 90, "90 is not valid for age_lt: give a duration such as 90s, 1h30m or 2d"),
            ("age_gt", "soon", "'soon' is not valid for age_gt: give a duration such as 90s, 1h30m or 2d"),
        ],
    )
    def test_a_value_that_does_not_is_refused(self, check_: str, value: object, message: str) -> None:
        told = errors(validation={"rules": [{"key": "a", "check": check_, "field": "f", "value": value}]})
        assert told == {"validation.rules[0].value": message}

    def test_a_value_that_nobody_looks_at_is_a_warning(self) -> None:
        told = warnings(validation={"rules": [{"key": "a", "check": "exists", "field": "f", "value": 1}]})
        assert told["validation.rules[0].value"].startswith("is not looked at by the check exists")


class TestLimits:
    def limits(self, window: str = "1h", interval: str = "5m", /, **limits: int) -> dict[str, Any]:
        return {
            "schedule": {"trigger": TRIGGER, "evaluation": {"window": window, "interval": interval}},
            "job": {**job("glue", jobName="x"), **limits},
        }

    @pytest.mark.parametrize("seconds", [0, 60, 86400])
    def test_a_poll_window_is_0_or_a_minute_at_least(self, seconds: int) -> None:
        assert found(**self.limits(jobPollWindowSeconds=seconds), sfn_timeout_seconds=100_000) == []

    @pytest.mark.parametrize("seconds", [1, 59])
    def test_a_shorter_one_is_refused(self, seconds: int) -> None:
        told = errors(**self.limits(jobPollWindowSeconds=seconds))
        assert told["job.jobPollWindowSeconds"].startswith(f"{seconds} is less than 60 seconds")

    def test_the_windows_fit_into_an_execution(self) -> None:
        assert found(**self.limits("2h", jobPollWindowSeconds=7200)) == []

    def test_windows_that_do_not_are_refused(self) -> None:
        told = errors(**self.limits("2h", jobPollWindowSeconds=7201))["job.jobPollWindowSeconds"]
        assert "the evaluation window (2h) and the poll window (2h1s) are 4h1s together" in told
        assert "sfn_timeout_seconds, 4h" in told

    def test_the_default_poll_window_counts(self) -> None:
        assert (
            "(1h) are 4h together" in errors(**self.limits("3h"), sfn_timeout_seconds=3600)["job.jobPollWindowSeconds"]
        )

    def test_an_execution_holds_so_many_loops(self) -> None:
        limits = {"jobPollWindowSeconds": 12_000, "jobCheckIntervalSeconds": 5}
        told = errors(**self.limits("10s", "10s", **limits))
        assert told["job.jobCheckIntervalSeconds"].startswith(
            "evaluations every 10s and polls every 5s are 2,401 loops"
        )

    def test_as_many_as_it_holds_are_fine(self) -> None:
        limits = {"jobPollWindowSeconds": 11_995, "jobCheckIntervalSeconds": 5}
        assert found(**self.limits("10s", "10s", **limits)) == []


class TestJobs:
    @pytest.mark.parametrize(
        "given",
        [
            job("databricks", workspaceUrl="https://a", jobId=5),
            job("databricks", workspaceUrl="https://a", body={}),
            job("emr-serverless", applicationId="a", executionRoleArn="r", jobDriver={}),
            job("emr-serverless", applicationId="a", executionRoleArn="r", jobName="n", arguments=["x"]),
            job("step-function", stateMachineArn="a"),
            job("step-function", stateMachineArn="a", input={}),
            job("step-function", stateMachineArn="a", arguments={}),
            job("http", url="HTTPS://a"),
            job("http", url="http://a"),
            job("http", url="${INTERLOCK_HOST}/x"),
            job("airflow", url="${secret:host}", dagId="d"),
        ],
    )
    def test_a_configuration_that_says_what_to_start_is_fine(self, given: dict[str, Any]) -> None:
        assert found(job=given) == []

    @pytest.mark.parametrize(
        ("given", "path", "message"),
        [
            (job("databricks", workspaceUrl="https://a"), "", "needs jobId or body"),
            (job("databricks", workspaceUrl="https://a", jobId=5, body={}), ".body", "cannot stand beside jobId"),
            (job("databricks", workspaceUrl="a.example", jobId=5), ".workspaceUrl", "'a.example' is not a URL"),
            (job("emr-serverless", applicationId="a", executionRoleArn="r"), "", "needs jobDriver or jobName"),
            (
                job("emr-serverless", applicationId="a", executionRoleArn="r", jobDriver={}, jobName="n"),
                ".jobName",
                "cannot stand beside jobDriver",
            ),
            (
                job("emr-serverless", applicationId="a", executionRoleArn="r", jobDriver={}, arguments=["x"]),
                ".arguments",
                "goes with jobName",
            ),
            (
                job("step-function", stateMachineArn="a", input={}, arguments={}),
                ".arguments",
                "cannot stand beside input: give either input or arguments",
            ),
            (job("http", url="ftp://a"), ".url", "'ftp://a' is not a URL that begins with https:// or http://"),
            (job("airflow", url="airflow", dagId="d"), ".url", "'airflow' is not a URL"),
        ],
    )
    def test_one_that_does_not_is_refused(self, given: dict[str, Any], path: str, message: str) -> None:
        assert errors(job=given)[f"job.config{path}"].startswith(message)


class TestTemplates:
    def told(self, text: str, **sections: Any) -> str | None:
        return errors(job=job("glue", jobName="x", arguments={"--a": text}), **sections).get("job.config.arguments.--a")

    @pytest.mark.parametrize(
        "text",
        [
            "${DATE} ${EXECUTION_DATE} ${PAR_DAY} ${PIPELINE} ${SCHEDULE} ${ATTEMPT} ${RUN_ID}",
            "${INTERLOCK_ANYTHING}",
            "${secret:name} ${secret:arn:aws:secretsmanager:eu-west-1:1:secret:x#key}",
            "$${literal} ${foreign.arn}",
            "no template",
        ],
    )
    def test_what_the_run_or_terraform_fills_in_is_fine(self, text: str) -> None:
        assert self.told(text) is None

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("${TODAY}", "'${TODAY}' is not a run-time variable; there are DATE, HOUR,"),
            ("${HOME}", "'${HOME}' is not a run-time variable"),
            ("${date}", "'${date}' is not a run-time variable"),
            ("a ${DATE", "'${DATE' has no closing brace; write $${ for a literal ${"),
            ("${secret:}", "'${secret:}' names no secret"),
            ("${secret:#key}", "'${secret:#key}' names no secret"),
        ],
    )
    def test_what_nobody_fills_in_is_refused(self, text: str, message: str) -> None:
        told = self.told(text)
        assert told is not None
        assert told.startswith(message)

    def test_the_hour_belongs_to_hourly_pipelines(self) -> None:
        told = self.told("${HOUR}")
        assert told == "${HOUR} has no value here: the execution dates of this pipeline are days"
        assert self.told("${HOUR}", schedule={"cron": "0 * * * *"}) is None
        assert self.told("${HOUR}", sla={"deadline": ":30", "expectedDuration": "5m"}) is None

    def test_outside_of_job_config_nothing_is_filled_in(self) -> None:
        rule = {"key": "k-${DATE}", "check": "equals", "field": "f", "value": "${secret:x}"}
        told = warnings(validation={"rules": [rule]}, pipeline={"id": "gold", "owner": "${PIPELINE} $${DATE} ${other}"})
        assert set(told) == {"validation.rules[0].key", "validation.rules[0].value", "pipeline.owner"}
        assert told["pipeline.owner"].startswith("'${PIPELINE}' stays as it is here")


def test_paths_are_written_as_people_write_them() -> None:
    assert dotted(("validation", "rules", 2, "check")) == "validation.rules[2].check"
    assert dotted(()) == ""
    assert dotted(("job", "config", "arguments", "--run_date")) == "job.config.arguments.--run_date"
    assert dotted(("a b", "c.d", "")) == "['a b']['c.d']['']"
    assert dotted(("a", "\n")) == "a['\\n']"


def test_paths_are_related_when_one_leads_to_the_other() -> None:
    assert related(("a",), ("a", 1))
    assert related(("a", 1), ("a",))
    assert related((), ("a",))
    assert not related(("a", 1), ("a", 2))
