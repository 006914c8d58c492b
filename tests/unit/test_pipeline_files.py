"""Folders of pipeline files: what is stored of them, and everything that can be wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError
from interlock_runtime.core.reader import read
from interlock_tf.documents.placeholders import Variables
from interlock_tf.documents.source import Source
from interlock_tf.pipelines import MAX_CONFIG_BYTES
from interlock_tf.settings import Settings
from tests.fakes.documents import TODAY, document, folder, load, problems

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "${TfToken[TOKEN.7]}"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:gold"
ROLE = "arn:aws:iam::123456789012:role/spark"


def stored(root: Path, content: Any, **options: Any) -> dict[str, Any]:
    """The row of the only pipeline, decoded."""
    (pipeline,) = load(folder(root, {"a.yaml": content}), **options)
    found: dict[str, Any] = json.loads(pipeline.config)
    return found


def told(root: Path, content: Any, **options: Any) -> list[str]:
    return problems(folder(root, {"a.yaml": content}), **options)


class TestSamples:
    def test_they_are_all_fine(self) -> None:
        found = load(ROOT / "pipelines", ROOT / "calendars")
        assert len(found) == len(list((ROOT / "pipelines").iterdir()))
        assert found.warnings == ()

    def test_the_runtime_reads_of_them_what_was_validated(self) -> None:
        for each in load(ROOT / "pipelines", ROOT / "calendars"):
            assert read(Pipeline, json.loads(each.config)) == each.pipeline


class TestStored:
    def test_json_is_compact_and_sorted(self, tmp_path: Path) -> None:
        (pipeline,) = load(folder(tmp_path, {"a.yaml": document()}))
        assert pipeline.config == (
            '{"job":{"config":{"jobName":"gold-etl"},"type":"glue"},"pipeline":{"id":"gold"},'
            '"schedule":{"trigger":{"check":"exists","key":"landed"}},'
            '"validation":{"rules":[{"check":"exists","key":"landed"}]}}'
        )

    def test_the_same_document_gives_the_same_row(self, tmp_path: Path) -> None:
        backwards = dict(reversed(document().items()))
        assert stored(tmp_path, document()) == stored(tmp_path, backwards)

    def test_pipelines_come_in_the_order_of_their_ids(self, tmp_path: Path) -> None:
        files = {f"{name}.yaml": document(pipeline={"id": id_}) for name, id_ in (("a", "z"), ("b", "a"))}
        assert [pipeline.id for pipeline in load(folder(tmp_path, files))] == ["a", "z"]

    def test_defaults_are_not_filled_in(self, tmp_path: Path) -> None:
        assert stored(tmp_path, document()) == document()

    def test_private_keys_are_dropped_but_not_from_free_maps(self, tmp_path: Path) -> None:
        written = document(job={"type": "http", "x-b": 1, "config": {"url": "https://a", "headers": {"x-id": "1"}}})
        written |= {"x-a": "${unknown}"}
        assert stored(tmp_path, written)["job"] == {
            "type": "http",
            "config": {"url": "https://a", "headers": {"x-id": "1"}},
        }

    def test_anchors_and_merges_are_written_out(self, tmp_path: Path) -> None:
        text = """
x-rule: &rule {key: landed, check: exists}
x-limits: &limits {maxRetries: 3, maxCodeRetries: 0}
pipeline: {id: gold}
schedule: {trigger: *rule}
validation: {rules: [*rule, {<<: *rule, key: other}]}
job:
  <<: *limits
  maxRetries: 1
  type: glue
  config: {jobName: gold}
"""
        found = stored(tmp_path, text)
        assert found["validation"]["rules"] == [
            {"key": "landed", "check": "exists"},
            {"key": "other", "check": "exists"},
        ]
        assert (found["job"]["maxRetries"], found["job"]["maxCodeRetries"]) == (1, 0)

    @pytest.mark.parametrize(
        ("type_", "given", "wanted"),
        [
            ("emr", {"clusterID": "c", "stepName": "s", "command": "j"}, "clusterId"),
            ("emr-serverless", {"applicationID": "c", "executionRoleArn": ROLE, "jobName": "j"}, "applicationId"),
            ("step-function", {"stateMachineARN": f"{MACHINE}-c"}, "stateMachineArn"),
            ("databricks", {"workspaceURL": "https://c", "jobId": 1}, "workspaceUrl"),
            ("airflow", {"url": "https://a", "dagID": "c"}, "dagId"),
        ],
    )
    def test_other_spellings_are_stored_under_the_one(
        self, tmp_path: Path, type_: str, given: dict[str, Any], wanted: str
    ) -> None:
        config = stored(tmp_path, document(job={"type": type_, "config": given}))["job"]["config"]
        assert config.keys() == {*list(given)[1:], wanted} if type_ != "airflow" else {"url", "dagId"}
        assert config[wanted].endswith("c")

    def test_text_beyond_ascii_stays_readable(self, tmp_path: Path) -> None:
        (pipeline,) = load(folder(tmp_path, {"a.yaml": document(pipeline={"id": "gold", "owner": "Jürgen 売上"})}))
        assert "Jürgen 売上" in pipeline.config

    def test_hidden_and_yml_files_count_others_do_not(self, tmp_path: Path) -> None:
        files = {
            ".a.yaml": document(pipeline={"id": "a"}),
            "b.yml": document(pipeline={"id": "b"}),
            "c.YAML": "x",
            "d.json": "x",
            "yaml": "x",
        }
        made = folder(tmp_path, files)
        made.joinpath("e.yaml").mkdir()
        assert [pipeline.id for pipeline in load(made)] == ["a", "b"]

    def test_a_row_that_dynamodb_cannot_hold_is_refused(self, tmp_path: Path) -> None:
        padding = "x" * (MAX_CONFIG_BYTES - len(json.dumps(document(), separators=(",", ":"))) - len(',"owner":""'))
        assert told(tmp_path, document(pipeline={"id": "gold", "owner": padding})) == []
        (problem,) = told(tmp_path, document(pipeline={"id": "gold", "owner": padding + "x"}))
        assert problem == "a.yaml:1:1: is 408,577 bytes as JSON, but a row of DynamoDB holds 408,576"


class TestPlaceholders:
    def test_they_are_filled_in_everywhere_but_in_keys(self, tmp_path: Path) -> None:
        written = document(
            pipeline={"id": "${environment}-gold"},
            job={
                "type": "${kind}",
                "maxRetries": "${retries}",
                "config": {"jobName": "x", "arguments": {"--${a}": "1"}},
            },
        )
        options = {"pipeline_variables": {"kind": "glue", "retries": 3, "a": "b"}}
        (problem,) = told(tmp_path, written, **options)
        assert problem.endswith("job.config.arguments.--${a}: placeholders are filled in in values, not in keys")
        written["job"]["config"]["arguments"] = {"--a": "$${a} ${a} ${DATE}"}
        found = stored(tmp_path, written, **options)
        assert found["pipeline"]["id"] == "dev-gold"
        assert found["job"]["maxRetries"] == 3
        assert found["job"]["config"]["arguments"]["--a"] == "$${a} b ${DATE}"

    def test_other_spellings_are_known_by_a_type_that_was_filled_in(self, tmp_path: Path) -> None:
        written = document(job={"type": "${kind}", "config": {"stateMachineARN": MACHINE}})
        found = stored(tmp_path, written, pipeline_variables={"kind": "step-function"})
        assert found["job"]["config"] == {"stateMachineArn": MACHINE}

    @pytest.mark.parametrize(
        ("type_", "config"),
        [
            ("step-function", {"stateMachineArn": "${value}"}),
            ("emr-serverless", {"applicationId": "a", "executionRoleArn": "${value}", "jobDriver": {}}),
            ("databricks", {"workspaceUrl": "${value}", "jobId": "${value}"}),
            ("airflow", {"url": "https://${value}/", "dagId": "d", "headers": {"Authorization": "Bearer ${value}"}}),
            ("command", {"command": "load '${value}' ${value}"}),
        ],
    )
    def test_what_only_terraform_knows_of_a_job_is_not_judged(
        self, tmp_path: Path, type_: str, config: dict[str, Any]
    ) -> None:
        written = document(job={"type": type_, "config": config})
        assert TOKEN in json.dumps(stored(tmp_path, written, pipeline_variables={"value": TOKEN}))

    def test_the_escape_is_resolved_where_no_run_does(self, tmp_path: Path) -> None:
        written = document(pipeline={"id": "gold", "description": "$${environment}"})
        assert stored(tmp_path, written)["pipeline"]["description"] == "${environment}"

    def test_an_unknown_one_is_told_once(self, tmp_path: Path) -> None:
        text = "pipeline: {id: gold}\nschedule: {trigger: {key: a, check: exists}}\nvalidation: {rules: []}\n"
        text += "job: {type: glue, maxRetries: '${nope}', config: {jobName: '${nope}'}}\n"
        message = "${nope} is not a pipeline variable; there are environment; write $${ for a literal ${"
        assert told(tmp_path, text) == [
            f"a.yaml:4:31: job.maxRetries: {message}",
            f"a.yaml:4:60: job.config.jobName: {message}",
        ]

    def test_a_terraform_value_goes_where_only_the_run_reads_it(self, tmp_path: Path) -> None:
        written = document(
            job={"type": "lambda", "config": {"functionName": "${fn}", "payload": {"d": "${DATE}", "p": "5%{x}"}}}
        )
        (pipeline,) = load(folder(tmp_path, {"a.yaml": written}), pipeline_variables={"fn": TOKEN})
        assert json.loads(pipeline.config)["job"]["config"]["functionName"] == TOKEN
        assert f'"functionName":"{TOKEN}","payload":{{"d":"$${{DATE}}","p":"5%%{{x}}"}}' in pipeline.template

    @pytest.mark.parametrize(
        "sections",
        [
            {"pipeline": {"id": "${arn}"}},
            {"schedule": {"cron": "${arn}"}},
            {"schedule": {"trigger": {"key": "a", "check": "gt", "field": "f", "value": "${arn}"}}},
            {"job": {"type": "${arn}", "config": {}}},
            {"sla": {"deadline": "${arn}", "expectedDuration": "5m"}},
            {"dryRun": "${arn}"},
        ],
    )
    def test_a_terraform_value_elsewhere_is_refused(self, tmp_path: Path, sections: dict[str, Any]) -> None:
        (problem,) = told(tmp_path, document(**sections), pipeline_variables={"arn": TOKEN})
        assert problem.endswith("holds a Terraform value, which is not known at synth: a literal is needed here")


class TestCalendars:
    CALENDAR = "name: closed\ndays: [Sunday]\ndates: [2026-12-25, 2026-01-01]\n"

    def with_(self, root: Path, exclude: Any, calendars: Any = None) -> dict[str, Any]:
        schedule = {"cron": "0 6 * * *", "exclude": exclude}
        files = folder(root, {"c.yaml": self.CALENDAR} if calendars is None else calendars)
        (pipeline,) = load(folder(root, {"a.yaml": document(schedule=schedule)}), files)
        assert read(Pipeline, json.loads(pipeline.config)) == pipeline.pipeline
        found: dict[str, Any] = json.loads(pipeline.config)["schedule"]["exclude"]
        return found

    def test_a_calendar_is_merged_into_what_is_excluded(self, tmp_path: Path) -> None:
        exclude = {"calendar": "closed", "days": ["SUNDAY", "monday"], "dates": ["2026-12-25", "2026-03-01"]}
        assert self.with_(tmp_path, exclude) == {
            "calendar": "closed",
            "days": ["monday", "sunday"],
            "dates": ["2026-01-01", "2026-03-01", "2026-12-25"],
        }

    def test_holidays_is_the_same(self, tmp_path: Path) -> None:
        assert self.with_(tmp_path, {"holidays": "closed"})["days"] == ["sunday"]

    def test_so_is_a_calendar_of_the_schedule(self, tmp_path: Path) -> None:
        schedule = {"cron": "0 6 * * *", "calendar": "closed", "exclude": {"weekends": True}}
        calendars = folder(tmp_path, {"c.yaml": self.CALENDAR})
        (pipeline,) = load(folder(tmp_path, {"a.yaml": document(schedule=schedule)}), calendars)
        assert json.loads(pipeline.config)["schedule"] == {
            "cron": "0 6 * * *",
            "exclude": {
                "calendar": "closed",
                "dates": ["2026-01-01", "2026-12-25"],
                "days": ["sunday"],
                "weekends": True,
            },
        }

    def test_what_a_calendar_does_not_name_is_not_filled_in(self, tmp_path: Path) -> None:
        assert self.with_(tmp_path, {"calendar": "none"}, {"n.yaml": "name: none"}) == {"calendar": "none"}

    @pytest.mark.parametrize(
        ("schedule", "problem"),
        [
            ({"exclude": {"calendar": "a", "holidays": "a"}}, "exclude.holidays: is another spelling of calendar"),
            ({"calendar": "a", "exclude": {"calendar": "a"}}, "calendar: is another spelling of exclude.calendar"),
            ({"calendar": "a", "exclude": {"holidays": "a"}}, "calendar: is another spelling of exclude.calendar"),
        ],
    )
    def test_one_spelling_is_enough(self, tmp_path: Path, schedule: dict[str, Any], problem: str) -> None:
        made = folder(tmp_path, {"a.yaml": document(schedule={"cron": "0 6 * * *", **schedule})})
        (found,) = problems(made, folder(tmp_path, {"a.yaml": "name: a"}))
        assert f"schedule.{problem}; keep one of them" in found

    def test_one_that_does_not_exist_is_refused_with_those_that_do(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {"a.yaml": document(schedule={"cron": "0 6 * * *", "calendar": "clsed"})})
        calendars = folder(tmp_path, {"a.yaml": self.CALENDAR, "b.yml": "name: other"})
        (found,) = problems(made, calendars)
        assert found.startswith("a.yaml:7:")
        assert found.endswith(
            "schedule.calendar: there is no calendar 'clsed' (did you mean closed?); there are closed, other"
        )

    def test_without_a_directory_none_exists(self, tmp_path: Path) -> None:
        (found,) = told(tmp_path, document(schedule={"cron": "0 6 * * *", "calendar": "closed"}))
        assert found.endswith("there is no calendar 'closed': no directory of calendars was given")

    def test_an_empty_directory_holds_none(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {"a.yaml": document(schedule={"cron": "0 6 * * *", "calendar": "closed"})})
        (found,) = problems(made, folder(tmp_path, {}))
        assert "holds none" in found

    def test_problems_of_calendars_are_told_with_those_of_pipelines(self, tmp_path: Path) -> None:
        made = folder(
            tmp_path, {"p.yaml": document(pipeline={"id": "-"}, schedule={"cron": "0 6 * * *", "calendar": "a"})}
        )
        calendars = {"a.yaml": "name: a\ndates: [2026-02-30]\n", "b.yaml": "name: b", "c.yaml": "nam: c\nname: b\n"}
        found = problems(made, folder(tmp_path, calendars))
        assert [problem.partition(": ")[2] for problem in found] == [
            "pipeline.id: '-' is not valid; expected 1 to 63 letters, digits, '.', '_' or '-', the first one a letter "
            "or digit",
            "dates[0]: '2026-02-30' is not valid: day is out of range for month; expected a date such as 2026-12-25",
            "nam: is not a known key (did you mean name?); there are name, days, dates, description",
        ]

    def test_two_calendars_of_one_name_are_refused(self, tmp_path: Path) -> None:
        calendars = folder(tmp_path, {"a.yaml": "name: a", "b.yaml": "days: []\nname: a"})
        (found,) = problems(folder(tmp_path, {"p.yaml": document()}), calendars)
        assert found.startswith(f"b.yaml:2:7: name: 'a' is also the name of {calendars / 'a.yaml'}")


class TestDirectories:
    def test_a_missing_one_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            load(tmp_path / "nowhere")
        assert str(caught.value) == f"{tmp_path / 'nowhere'}: there is no such directory"

    def test_so_is_one_of_calendars(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {"a.yaml": document()})
        assert problems(made, tmp_path / "nowhere") == ["nowhere: there is no such directory"]

    def test_a_file_is_not_one(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {"a.yaml": document()})
        with pytest.raises(ConfigError, match=r"is a file; expected a directory"):
            load(made / "a.yaml")

    def test_one_without_pipelines_is_a_warning(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {})
        found = load(made)
        assert len(found) == 0
        assert [str(warning) for warning in found.warnings] == [f"{made}: holds no pipelines (*.yaml, *.yml)"]

    def test_a_link_to_nothing_is_a_problem(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {})
        made.joinpath("a.yaml").symlink_to("nowhere")
        assert problems(made) == ["a.yaml: cannot be read: No such file or directory"]

    def test_a_pipe_is_a_problem_and_is_not_waited_for(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {"b.yaml": document(pipeline={"id": "-"})})
        os.mkfifo(made / "a.yaml")
        fifo, other = problems(made)
        assert fifo == "a.yaml: is no regular file; expected one with YAML in it"
        assert other.startswith("b.yaml")

    def test_a_pipe_that_a_shell_hands_over_is_read(self) -> None:
        read, write = os.pipe()
        os.write(write, json.dumps(document()).encode())
        os.close(write)
        source = Source(Pipeline, f"/dev/fd/{read}", Variables({}))
        os.close(read)
        assert (source.problems, source.document and source.document.id) == ([], "gold")


class TestProblems:
    def test_two_pipelines_of_one_id_are_refused(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {"a.yaml": document(), "b.yaml": document()})
        (found,) = problems(made)
        assert found == f"b.yaml:3:9: pipeline.id: 'gold' is also the id of {made / 'a.yaml'}; ids are unique"

    def test_ids_that_are_missing_are_not_equal(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {name: document(pipeline={}) for name in ("a.yaml", "b.yaml")})
        assert [problem.partition(": ")[2] for problem in problems(made)] == [
            "pipeline.id: is required: 1 to 63 letters, digits, '.', '_' or '-', the first one a letter or digit"
        ] * 2

    def test_variables_that_cannot_work_are_told_first(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"pipeline_variables.Bad"):
            load(folder(tmp_path, {"a.yaml": document()}), pipeline_variables={"Bad": "x"})

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("null", "a.yaml:1:1: is empty; expected a map"),
            ("- a", "a.yaml:1:1: is a list of 1; expected a map of keys and values"),
            ("gold", "a.yaml:1:1: is 'gold'; expected a map of keys and values"),
        ],
    )
    def test_a_document_is_a_map(self, tmp_path: Path, text: str, problem: str) -> None:
        assert told(tmp_path, text) == [problem]

    @pytest.mark.parametrize(
        ("sections", "problem"),
        [
            ({"pipeline": None}, "pipeline: is required: a map with the keys id, owner, description"),
            ({"pipeline": {"id": "gold", "owner": 5}}, "pipeline.owner: 5 is not valid; expected text; quote it"),
            ({"pipeline": {"id": "x" * 64}}, "pipeline.id: 'xxx"),
            ({"schedul": {}}, "schedul: is not a known key (did you mean schedule?); there are pipeline, schedule,"),
            ({"schedule": {"cron": "61 * * * *"}}, "schedule.cron: '61 * * * *' is not valid: minute: '61' is not"),
            ({"schedule": {"timezone": "Europe/Berln"}}, "schedule.timezone: 'Europe/Berln' is not valid; expected an"),
            ({"schedule": {"include": {"dates": []}}}, "schedule.include.dates: a list of 0 is not valid; expected"),
            (
                {"schedule": {"include": {"dates": ["2026-12-24", "2026-12-24"]}, "time": "06:00"}},
                "schedule.include.dates[1]: 2026-12-24 is listed twice",
            ),
            ({"schedule": {"include": {"dates": ["1026-12-24"]}}}, "schedule.include.dates[0]: '1026-12-24' is not"),
            ({"schedule": {"exclude": None}}, "schedule.exclude: has no value; expected a map with the keys"),
            ({"sla": {"maxDuration": "25h"}}, "sla.maxDuration: '25h' is not valid; expected a duration such as"),
            ({"sla": {"dayOffset": 8}}, "sla.dayOffset: 8 is not valid; expected a whole number, 0 to 7"),
            ({"validation": {"rules": {}}}, "validation.rules: a map of 0 is not valid; expected a list"),
            (
                {"validation": {"rules": [{"key": "a", "check": "Exists"}]}},
                "validation.rules[0].check: 'Exists' is not valid (did you mean exists?); expected one of exists,",
            ),
            ({"job": None}, "job: is required: a map with the key type"),
            ({"job": {}}, "job.type: is required: one of http, command, lambda"),
            ({"job": {"type": "gleu"}}, "job.type: 'gleu' is not valid (did you mean glue?); expected one of http,"),
            ({"job": {"type": 5}}, "job.type: 5 is not valid; expected one of"),
            ({"job": {"type": "glue"}}, "job.config: is required: a map with the keys jobName, arguments"),
            (
                {"job": {"type": "glue", "config": {"jobName": ""}}},
                "job.config.jobName: '' is not valid; expected text",
            ),
            (
                {"job": {"type": "http", "config": {"url": "https://a", "timeout": 101}}},
                "job.config.timeout: 101 is not valid; expected a number of seconds, or a duration such as 30s, 1s to",
            ),
            (
                {"job": {"type": "http", "config": {"url": "https://a", "headers": {"A": 1}}}},
                "job.config.headers.A: 1 is not valid; expected text; quote it if it is text",
            ),
            (
                {"job": {"type": "databricks", "config": {"workspaceUrl": "https://a", "jobId": 1.5}}},
                "job.config.jobId: 1.5 is not valid; expected text or a whole number",
            ),
            ({"job": {"type": "glue", "config": {"jobName": "x"}, "maxRetries": True}}, "job.maxRetries: true is not"),
            ({"dryRun": "yes"}, "dryRun: 'yes' is not valid; expected true or false"),
            ({"postRun": {"rules": [], "driftThreshold": -1}}, "postRun.driftThreshold: -1 is not valid; expected a"),
        ],
    )
    def test_a_value_is_told_with_what_would_be_right(
        self, tmp_path: Path, sections: dict[str, Any], problem: str
    ) -> None:
        content = {**document(), **sections}
        content = {key: value for key, value in content.items() if value is not None}
        assert any(problem in found for found in told(tmp_path, content)), told(tmp_path, content)

    def test_a_single_mistake_is_a_single_problem(self, tmp_path: Path) -> None:
        """No consequences of a value that was taken out to look at the rest."""
        for sections in (
            {"schedule": {"cron": "bad"}},
            {"schedule": {"croon": "0 6 * * *"}},
            {"schedule": {"trigger": {"key": "a", "check": "bad"}}, "dryRun": True, "sla": {"maxDuration": "1h"}},
            {"sla": {"deadline": "06:00", "expectedDuration": "soon"}},
            {"validation": {"rules": "none"}},
            {"validation": None},
            {"job": None},
            {"job": {"type": "http", "config": {"url": 5}}},
            {"job": {"type": "htp", "config": {"url": 5}, "maxRetries": 1}},
            {"job": {"config": {"url": "https://a"}, "maxRetries": 1}},
            {"validation": {"rules": [{"key": "a", "check": "bad"}]}},
            {"schedule": {"cron": "0 6 * * *", "exclude": {"dates": ["2027-02-30"]}}},
            {"schedule": {"cron": "0 6 * * *", "evaluation": {"window": "1m", "interval": "fast"}}},
            {"schedule": {"cron": "bad"}, "job": {"type": "glue", "config": {"jobName": "${HOUR}"}}},
            {"postRun": {"rules": [{"key": "a", "check": "gt", "field": "f", "value": 1, "valu": 2}]}},
        ):
            assert len(told(tmp_path, document(**sections))) == 1, sections

    def test_an_impossible_date_does_not_hide_those_that_are_listed_twice(self, tmp_path: Path) -> None:
        dates = ["2027-01-01", "2027-02-30", "2027-01-01", "2027-03-01", "2027-01-02", "2027-03-01"]
        schedule = {"include": {"dates": dates}, "time": "06:00"}
        found = [problem.split("dates[")[1] for problem in told(tmp_path, document(schedule=schedule))]
        assert found == [
            "1]: '2027-02-30' is not valid: day is out of range for month; expected a date such as 2026-12-25",
            "2]: 2027-01-01 is listed twice",
            "5]: 2027-03-01 is listed twice",
        ]

    def test_an_unknown_placeholder_hides_nothing_around_it(self, tmp_path: Path) -> None:
        written = document(
            schedule={"timezone": "${nope}"}, job={"type": "databricks", "config": {"headers": {"a": "${b}"}}}
        )
        assert [problem.split(": ")[1] for problem in told(tmp_path, written)] == [
            "schedule",
            "schedule.timezone",
            "job.config",
            "job.config.workspaceUrl",
            "job.config.headers.a",
        ]

    def test_one_mistake_does_not_hide_another(self, tmp_path: Path) -> None:
        text = """\
pipeline: {id: bad id, owner: "${nope}"}
schedule:
  cron: "*/5 6 * * *"
  trigger: {key: a, chek: exists, check: exists, deadline: "25:00"}
sla: {deadline: "06:00"}
validation:
  rules:
    - {key: a}
    - {key: a, check: equals}
    - {key: a, check: gt, field: f, value: "5"}
job: {type: glu, config: {}, maxRetries: 99, pollWindow: 1h}
dryRun: 5
a: !tag x
"""
        assert [problem.split(": ")[:2] for problem in told(tmp_path, text)] == [
            ["a.yaml:1:16", "pipeline.id"],
            ["a.yaml:1:31", "pipeline.owner"],
            ["a.yaml:3:9", "schedule.cron"],
            ["a.yaml:4:21", "schedule.trigger.chek"],
            ["a.yaml:4:60", "schedule.trigger.deadline"],
            ["a.yaml:5:17", "sla.deadline"],
            ["a.yaml:8:7", "validation.rules[0].check"],
            ["a.yaml:9:7", "validation.rules[1].field"],
            ["a.yaml:9:7", "validation.rules[1].value"],
            ["a.yaml:10:44", "validation.rules[2].value"],
            ["a.yaml:11:13", "job.type"],
            ["a.yaml:11:42", "job.maxRetries"],
            ["a.yaml:11:46", "job.pollWindow"],
            ["a.yaml:12:9", "dryRun"],
            ["a.yaml:13:1", "a"],
            ["a.yaml:13:4", "the YAML tag '!tag' is not supported; write a plain value"],
        ]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "text",
        [
            "pipeline: {id: gold}\nvalidation: {rules: [" + "1," * 150_000 + "]}\n",
            "pipeline: {id: gold}\nvalidation: {rules: [" + "{key: a, check: gt}," * 20_000 + "]}\n",
            "pipeline: {id: gold}\nx: ['${nope}'" + ",'${nope}'" * 50_000 + "]\n",
            "x: .inf\n" + "".join(f"k{n}: .inf\n" for n in range(20_000)),
            "? a\n" * 100_000,
        ],
    )
    def test_of_very_many_the_first_are_told(self, tmp_path: Path, text: str) -> None:
        found = told(tmp_path, text)
        assert 100 <= len(found) <= 202
        assert all(len(problem) < 1000 for problem in found)

    def test_problems_of_all_files_come_in_the_order_of_their_places(self, tmp_path: Path) -> None:
        files = {"b.yaml": "", "a.yaml": document(dryRun=1, pipeline={"id": ""}), "c.yaml": b"\xff"}
        assert [problem.partition(":")[0] for problem in problems(folder(tmp_path, files))] == [
            "a.yaml",
            "a.yaml",
            "b.yaml",
            "c.yaml",
        ]

    def test_others_can_place_a_problem_in_the_file(self, tmp_path: Path) -> None:
        made = folder(
            tmp_path,
            {
                "a.yaml": "job:\n  config: {dagID: x, url: 'https://a'}\n  type: airflow\n"
                + ("pipeline: {id: gold}\nschedule: {cron: 0 6 * * *}\nvalidation: {rules: []}\n")
            },
        )
        (pipeline,) = load(made)
        assert str(pipeline.problem(("job", "type"), "is off")) == f"{made / 'a.yaml'}:3:9: job.type: is off"
        found = pipeline.problem(("job", "config", "dagId"), "is bad")
        assert (found.line, found.path) == (2, "job.config.dagID")

    def test_warnings_have_places_and_stop_nothing(self, tmp_path: Path) -> None:
        made = folder(tmp_path, {"a.yaml": document(validation={"rules": []})})
        found = load(made)
        assert len(found) == 1
        assert [str(warning) for warning in found.warnings] == [
            f"{made / 'a.yaml'}:12:3: validation.rules: is empty: the job will start without any check"
        ]

    def test_today_is_given(self, tmp_path: Path) -> None:
        written = document(schedule={"include": {"dates": ["2026-12-01"]}, "time": "06:00"})
        made = folder(tmp_path, {"a.yaml": written})
        assert load(made, today=TODAY).warnings == ()
        assert len(load(made, today=TODAY.replace(year=2027)).warnings) == 1

    def test_an_execution_is_as_long_as_the_construct_says(self, tmp_path: Path) -> None:
        assert Settings(environment="dev", pipelines_path=".").sfn_timeout_seconds == 14400
        assert told(tmp_path, document(), sfn_timeout_seconds=7200) == []
        assert "sfn_timeout_seconds, 1h59m59s" in told(tmp_path, document(), sfn_timeout_seconds=7199)[0]
