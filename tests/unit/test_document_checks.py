"""What several fields of a document must satisfy together."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from interlock_runtime.core.checks import check
from interlock_runtime.core.findings import Finding, dotted, related
from interlock_runtime.core.wording import shown
from tests.fakes.pipelines import pipeline

TODAY = date(2026, 11, 24)
TRIGGER = {"key": "landed", "check": "exists"}
ROLE = "arn:aws:iam::123456789012:role/team/spark"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:gold"
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
            job("emr-serverless", applicationId="a", executionRoleArn=ROLE, jobDriver={}),
            job("emr-serverless", applicationId="a", executionRoleArn=ROLE, jobName="n", arguments=["x"]),
            job("step-function", stateMachineArn=MACHINE),
            job("step-function", stateMachineArn=MACHINE, input={}),
            job("step-function", stateMachineArn=MACHINE, arguments={}),
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
            (job("emr-serverless", applicationId="a", executionRoleArn=ROLE), "", "needs jobDriver or jobName"),
            (
                job("emr-serverless", applicationId="a", executionRoleArn=ROLE, jobDriver={}, jobName="n"),
                ".jobName",
                "cannot stand beside jobDriver",
            ),
            (
                job("emr-serverless", applicationId="a", executionRoleArn=ROLE, jobDriver={}, arguments=["x"]),
                ".arguments",
                "goes with jobName",
            ),
            (
                job("step-function", stateMachineArn=MACHINE, input={}, arguments={}),
                ".arguments",
                "cannot stand beside input: give either input or arguments",
            ),
            (job("http", url="ftp://a"), ".url", "'ftp://a' is not a URL that begins with https:// or http://"),
            (job("airflow", url="airflow", dagId="d"), ".url", "'airflow' is not a URL"),
        ],
    )
    def test_one_that_does_not_is_refused(self, given: dict[str, Any], path: str, message: str) -> None:
        assert errors(job=given)[f"job.config{path}"].startswith(message)

    @pytest.mark.parametrize(
        "arn",
        [
            MACHINE,
            f"{MACHINE}:prod",
            f"{MACHINE}:7",
            "arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:Gold_1-a",
            "${foreign.arn}",
            "${foreign.arn}:prod",
            "${INTERLOCK_MACHINE}",
            "arn:${INTERLOCK_PARTITION}:states:eu-west-1:123456789012:stateMachine:gold",
            "arn:aws:states:${INTERLOCK_REGION}:${INTERLOCK_ACCOUNT}:stateMachine:gold",
            "arn:aws:states:eu-west-1:123456789012:state${INTERLOCK_REST}",
            "arn:aws:states:eu-west-1:123456789012:stateMachine:gold-${PIPELINE}",
        ],
    )
    def test_a_state_machine_is_given_by_its_arn(self, arn: str) -> None:
        assert found(job=job("step-function", stateMachineArn=arn)) == []

    @pytest.mark.parametrize(
        "arn",
        [
            "gold",
            "gold-${DATE}",
            " " + MACHINE,
            "arn:aws:states:eu-west-1:123456789012:stateMachine:",
            "arn:aws:states:eu-west-1:123456789012:stateMachine",
            "arn:aws:states:eu-west-1:1234:stateMachine:gold",
            "arn:aws:states::123456789012:stateMachine:gold",
            "arn:aws:states:eu-west-1:123456789012:stateMachine:go ld",
            "arn:aws:states:eu-west-1:123456789012:stateMachine:*",
            "arn:aws:states:eu-west-1:123456789012:statemachine:gold",
            "arn:aws:states:eu-west-1:123456789012:execution:gold:x",
            "arn:aws:states:eu-west-1:123456789012:execution:${PIPELINE}",
            "arn:aws:lambda:eu-west-1:123456789012:function:gold",
            "arn:aws:lambda:${INTERLOCK_REGION}:123456789012:stateMachine:gold",
            "arn:aws:lam${INTERLOCK_REST}",
            f"{MACHINE}:prod:7",
        ],
    )
    def test_what_is_no_state_machine_is_refused(self, arn: str) -> None:
        told = errors(job=job("step-function", stateMachineArn=arn))
        expected = "is not valid; expected a state machine's ARN, arn:aws:states:<region>:<account>:stateMachine:<name>"
        assert told == {"job.config.stateMachineArn": f"{shown(arn)} {expected}"}

    @pytest.mark.parametrize(
        "arn",
        [
            ROLE,
            "arn:aws-cn:iam::123456789012:role/spark",
            "${INTERLOCK_ROLE}",
            "${foreign.arn}",
            "arn:aws:iam::${INTERLOCK_ACCOUNT}:role/spark",
            "arn:aws:iam::123456789012:role/${PIPELINE}",
        ],
    )
    def test_a_role_is_given_by_its_arn(self, arn: str) -> None:
        given = job("emr-serverless", applicationId="a", executionRoleArn=arn, jobDriver={})
        assert found(job=given) == []

    @pytest.mark.parametrize(
        "arn",
        [
            "gold-role",
            "arn:aws:iam::123456789012:user/spark",
            "arn:aws:iam::123456789012:user/${PIPELINE}",
            "arn:aws:iam:eu-west-1:123456789012:role/spark",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/*",
        ],
    )
    def test_what_is_no_role_is_refused(self, arn: str) -> None:
        told = errors(job=job("emr-serverless", applicationId="a", executionRoleArn=arn, jobDriver={}))
        expected = "is not valid; expected a role's ARN, arn:aws:iam::<account>:role/<name>"
        assert told == {"job.config.executionRoleArn": f"{shown(arn)} {expected}"}


class TestRequests:
    """A document is refused for what a start would be refused for, as far as it can be known."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://a.example/x y?q=${DATE}#f",
            "https://a.example/user@x",
            "https://${INTERLOCK_HOST}/",
            "https://${INTERLOCK_HOST}:${INTERLOCK_PORT}/x",
            "https://a.example:${INTERLOCK_PORT}",
            "http://[${INTERLOCK_ADDRESS}]:8080/",
            "http://[2606:2800:220:1::1]/",
            "https://x-${foreign.arn}.example/",
            "${INTERLOCK_BASE}@x",
        ],
    )
    def test_a_url_that_can_be_asked_is_fine(self, url: str) -> None:
        assert found(job=job("http", url=url)) == []

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("https://u:p@x.example/", "the URL holds a user or password; put credentials into a header"),
            ("https://u:${secret:p}@x.example/", "the URL holds a user or password; put credentials into a header"),
            ("https://${secret:u}@${INTERLOCK_HOST}", "the URL holds a user or password"),
            ("https://x.example:port/", "the URL cannot be read"),
            ("https:///x", "the URL has no host"),
            ("https://${INTERLOCK_HOST}:port/", "the URL cannot be read"),
            ("https://x..example/${DATE}", "'x..example' is not a host name"),
            ("https://x.example/\n", "the URL holds a control character"),
        ],
    )
    @pytest.mark.parametrize("kind", ["http", "airflow", "databricks"])
    def test_one_that_cannot_is_refused(self, kind: str, url: str, message: str) -> None:
        given = {
            "http": job("http", url=url),
            "airflow": job("airflow", url=url, dagId="d"),
            "databricks": job("databricks", workspaceUrl=url, jobId=5),
        }[kind]
        (told,) = errors(job=given).items()
        assert told[0] == ("job.config.workspaceUrl" if kind == "databricks" else "job.config.url")
        assert told[1].startswith(message)

    @pytest.mark.parametrize(
        "url",
        [
            "https://a.example",
            "https://a.example/",
            "https://a.example/team/airflow",
            "https://a.example/api/airflow",
            "https://a.example/apiary",
            "https://api",
            "${INTERLOCK_URL}",
            "https://a.example/api/${INTERLOCK_TEAM}",
        ],
    )
    def test_the_address_of_a_service_ends_before_its_api(self, url: str) -> None:
        assert found(job=job("airflow", url=url, dagId="d")) == []
        assert found(job=job("databricks", workspaceUrl=url, jobId=5)) == []

    @pytest.mark.parametrize(
        "url",
        [
            "https://a.b/api",
            "https://a.b/api/v1",
            "https://a.b/x/api/v2/",
            "https://a.b/api/2.1",
            "https://a.b?x=1",
            "https://a.b/#x",
            "https://${INTERLOCK_HOST}/api/v1",
            "${INTERLOCK_URL}/api/v1",
        ],
    )
    def test_one_that_goes_beyond_is_refused(self, url: str) -> None:
        message = f"'{url}' goes too far: give the address up to and without /api; the rest is added"
        assert errors(job=job("airflow", url=url, dagId="d")) == {"job.config.url": message}
        assert errors(job=job("databricks", workspaceUrl=url, jobId=5)) == {"job.config.workspaceUrl": message}
        assert found(job=job("http", url=url)) == []

    @pytest.mark.parametrize("kind", ["http", "airflow", "databricks"])
    def test_headers_that_cannot_be_sent_are_refused_without_their_values(self, kind: str) -> None:
        headers = {
            "Host": "z",
            "bad name": "z",
            "X-Lines": "Bearer ${secret:x}\nz",
            "X-Euro": "\u20ac",
            "Authorization": "Bearer ${secret:\u20ac} ${foreign.arn} $${x}",
            "X-Empty": "",
        }
        more = {
            "http": {"url": "https://a"},
            "airflow": {"url": "https://a", "dagId": "d"},
            "databricks": {"workspaceUrl": "https://a", "jobId": 5},
        }[kind]
        no_name = "is refused: it is not a header's name, or it is set by Interlock"
        no_value = "is refused: it holds a line break, or not only Latin-1"
        assert errors(job=job(kind, headers=headers, **more)) == {
            "job.config.headers.Host": f"the header 'Host' {no_name}",
            "job.config.headers['bad name']": f"the header 'bad name' {no_name}",
            "job.config.headers.X-Lines": f"the value of the header 'X-Lines' {no_value}",
            "job.config.headers.X-Euro": f"the value of the header 'X-Euro' {no_value}",
        }

    @pytest.mark.parametrize("job_id", [5, "5", "${INTERLOCK_JOB}", "4${INTERLOCK_JOB}", "${foreign.arn}"])
    def test_the_job_of_databricks_is_a_number(self, job_id: str | int) -> None:
        assert found(job=job("databricks", workspaceUrl="https://a", jobId=job_id)) == []

    @pytest.mark.parametrize("job_id", ["abc", "", "1.5", "gold-${INTERLOCK_JOB}"])
    def test_another_one_is_refused(self, job_id: str) -> None:
        told = errors(job=job("databricks", workspaceUrl="https://a", jobId=job_id))
        assert told == {"job.config.jobId": f"'{job_id}' is not a number"}


class TestCommands:
    @pytest.mark.parametrize(
        "command",
        [
            "python -m gold.load --day ${DATE} --target 'the yard'",
            "echo ${secret:team/x#key}",
            'echo "${secret:team key}"',
            "echo $${literal text",
            "${INTERLOCK_PROGRAM}",
            "${foreign.arn}",
            "echo ${it's foreign}",
        ],
    )
    def test_one_that_can_be_split_is_fine(self, command: str) -> None:
        document = pipeline(schedule={"trigger": TRIGGER}, validation=RULES, job=job("command", command=command))
        foreign = ("foreign.arn", "it's foreign")
        assert list(check(document, today=TODAY, sfn_timeout_seconds=14400, foreign=foreign)) == []

    @pytest.mark.parametrize(
        ("command", "message"),
        [
            ("echo 'x", "cannot be split into words: No closing quotation"),
            ("echo x\\", "cannot be split into words: No escaped character"),
            ("  ", "holds no word"),
            ("''${x", "'${x' has no closing brace; write $${ for a literal ${"),
            (
                "echo ${secret:team key}",
                "'${secret:team' is cut off within a template: put quotes around a template that holds a space",
            ),
        ],
    )
    def test_one_that_cannot_is_refused(self, command: str, message: str) -> None:
        assert errors(job=job("command", command=command)) == {"job.config.command": message}


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
