"""The commands that ask and write, as a person gives them, through boto3 to a simulated AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest

from interlock_runtime.core import rows
from interlock_runtime.core.attributes import encode_item
from interlock_runtime.core.instants import millis, rfc3339
from interlock_runtime.core.rows import KIND
from interlock_tf.cli import main
from tests.fakes.aws import CREDENTIALS, create_table, simulated_aws
from tests.fakes.gold import gold
from tests.fakes.web_server import Reply, WebServer
from tests.fakes.world import World

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TODAY = f"{datetime.now(UTC):%Y-%m-%d}"

Ask = Callable[..., Any]


@pytest.fixture
def tables() -> Iterator[None]:
    """The four tables of an installation ``dev``, with nothing in them."""
    with simulated_aws() as clients:
        create_table(clients, "dev-interlock-control", with_kind_index=True)
        create_table(clients, "dev-interlock-events", with_event_index=True)
        for what in ("joblog", "rerun"):
            create_table(clients, f"dev-interlock-{what}")
        yield


def put(table: str, *stored: Mapping[str, Any]) -> None:
    """Write rows, as whoever writes them does."""
    client = boto3.client("dynamodb")
    for row in stored:
        client.put_item(TableName=f"dev-interlock-{table}", Item=encode_item(row))


def stored(table: str) -> dict[str, dict[str, Any]]:
    """The rows of a table, by their sort keys."""
    found = boto3.resource("dynamodb").Table(f"dev-interlock-{table}").scan()["Items"]
    return {row["SK"]: row for row in found}


def put_pipeline(**sections: Any) -> None:
    document = gold(**sections)
    key = {"PK": rows.pk(document["pipeline"]["id"]), "SK": rows.CONFIG}
    put("control", {**key, "config": json.dumps(document), KIND: "CONFIG"})


def put_event(kind: str, at: datetime, *, pipeline: str = "gold", message: str = "it happened") -> None:
    key = {"PK": rows.pk(pipeline), "SK": rows.event(millis(at), kind, f"{kind}{at}")}
    told = {"eventType": kind, "pipelineId": pipeline, "scheduleId": "stream", "date": "2026-03-03"}
    put("events", {**key, **told, "message": message, "detail": {"n": 2**60}, "timestamp": millis(at)})


@pytest.fixture
def ask(tables: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Give a command for ``dev``: its output, or its exit code with what it says on standard error."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("INTERLOCK_ENV", raising=False)

    def asked(*words: str, code: int = 0) -> str:
        assert main([*words, "--env", "dev"]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return asked


class TestStatus:
    def test_an_installation_without_pipelines_says_so(self, ask: Ask) -> None:
        assert ask("status") == "no pipelines\n"

    def test_every_pipeline_is_a_row(self, ask: Ask) -> None:
        put_pipeline()
        put_pipeline(pipeline={"id": "dry", "owner": "team"}, dryRun=True)
        out = ask("status")
        assert re.search(rf"^dry +none +{TODAY} \(for .*\): sensor", out, re.MULTILINE)
        assert re.search(r"^gold +none ", out, re.MULTILINE)
        assert ask("status", "--owner", "team").count(": sensor") == 1
        assert ask("status", "--failing") == "no pipelines\n"

    def test_a_run_that_goes_on_is_found_however_old(self, ask: Ask) -> None:
        put_pipeline()
        world = World(datetime.now(UTC) - timedelta(days=40))
        world.pipeline(gold())
        day = f"{world.now:%Y-%m-%d}"
        world.deliver(world.write_sensor("gold", "orders", state="ready", count=5, date=day))
        put("control", *world.control.rows().values())
        (found,) = json.loads(ask("status", "--json"))["pipelines"]
        assert (found["last"]["date"], found["last"]["state"]) == (day, "waiting")
        assert found["last"]["waitsFor"] == [
            "sensor orders: count is 5, but must be at least 1000",
            "sensor rates is missing",
        ]

    def test_the_last_run_is_found_by_itself_when_it_is_long_ago(self, ask: Ask) -> None:
        put_pipeline()
        for day in ("2025-01-02", "2025-03-04"):
            key = {"PK": rows.pk("gold"), "SK": rows.trigger("stream", day)}
            ended = {"status": "FAILED_FINAL", "reason": "fail", "attempt": 0, "completedAt": f"{day}T10:00:00Z"}
            put("control", {**key, **ended, "startedAt": f"{day}T09:00:00Z"})
        (found,) = json.loads(ask("status", "gold", "--json"))["pipelines"]
        assert (found["last"]["date"], found["last"]["reason"]) == ("2025-03-04", "fail")
        assert found["failing"]

    def test_many_pipelines_take_more_than_one_batch(self, ask: Ask) -> None:
        for number in range(30):
            put_pipeline(pipeline={"id": f"p-{number:02}"})
        found = json.loads(ask("status", "--json"))["pipelines"]
        assert [each["pipeline"] for each in found] == [f"p-{number:02}" for number in range(30)]
        assert {each["opening"]["date"] for each in found} == {TODAY}

    def test_a_row_that_cannot_be_read_hides_no_other(self, ask: Ask) -> None:
        put_pipeline()
        put("control", {"PK": "PIPELINE#bad", "SK": "CONFIG", "config": "{", KIND: "CONFIG"})
        out = ask("status")
        assert "bad: its row cannot be read: config: is not JSON" in out
        assert re.search(r"^gold ", out, re.MULTILINE)

    def test_an_unknown_pipeline_is_told_with_those_like_it(self, ask: Ask) -> None:
        put_pipeline(pipeline={"id": "gold-revenue"})
        told = "PIPELINE: there is no pipeline 'gold-revenu'; did you mean gold-revenue?\n"
        assert ask("status", "gold-revenu", code=1) == told
        told = "PIPELINE: there is no pipeline 'x'; dev-interlock-control has gold-revenue\n"
        assert ask("explain", "x", code=1) == told


@pytest.mark.parametrize("width", [80, 160])
def test_text_is_as_wide_as_the_screen_at_most(ask: Ask, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    sla = {"deadline": "08:00", "expectedDuration": "30m", "maxDuration": "3h"}
    put_pipeline(pipeline={"id": "a-pipeline-with-a-long-name-that-says-what-it-does", "owner": "x" * 40}, sla=sla)
    put_event("JOB_FAILED", datetime.now(UTC), pipeline="a" * 60, message="words and more " * 30)
    name = "a-pipeline-with-a-long-name-that-says-what-it-does"
    put("control", {"PK": rows.pk(name), "SK": rows.sensor("orders#" + "k" * 50), "data": {"f": "v" * 300}})
    for words in (["status"], ["explain", name], ["events"], ["sensor", "list", name]):
        lines = ask(*words).splitlines()
        assert max(map(len, lines)) <= width, words
        assert lines == [line.rstrip() for line in lines]


class TestExplain:
    def test_a_date_that_is_none_of_the_pipeline_is_refused(self, ask: Ask) -> None:
        put_pipeline()
        told = "DATE: '2026-03-03T10': the execution dates of gold are days, such as 2026-03-03\n"
        assert ask("explain", "gold", "2026-03-03T10", code=1) == told
        assert ask("explain", "gold", "yesterday", code=1).startswith("DATE: 'yesterday' is not an execution date")

    def test_everything_of_a_date_is_json(self, ask: Ask) -> None:
        put_pipeline()
        put("control", {"PK": rows.pk("gold"), "SK": rows.sensor("orders"), "data": {"count": Decimal("1e3")}})
        entry = {"PK": rows.pk("gold"), "SK": rows.job("stream", "2026-03-03", 1), "event": "fail", "error": "\x1b[2J"}
        put("joblog", entry)
        again = {"PK": rows.pk("gold"), "SK": rows.rerun("stream", "2026-03-03", 1), "reason": "manual", "cause": "c"}
        put("rerun", {**again, "triggeredAt": rfc3339(datetime.now(UTC))})
        found = json.loads(ask("explain", "gold", "2026-03-03", "--json"))
        assert (found["state"], found["date"]) == ("no run", "2026-03-03")
        assert [(each["observed"], each["passed"]) for each in found["validation"]["rules"]] == [
            (1000, True),
            (None, False),
        ]
        assert found["jobLog"][0]["error"] == "\x1b[2J"
        assert found["reruns"][0]["reason"] == "manual"
        assert {each["name"]: each["used"] for each in found["budgets"]}["maxManualReruns"] == 1
        assert found["rerunRequest"] == {"accepted": True, "check": None, "why": None}
        assert "\x1b" not in ask("explain", "gold", "2026-03-03")


class TestEvents:
    NOW = datetime.now(UTC).replace(microsecond=0)

    def test_those_of_a_pipeline_come_newest_last(self, ask: Ask) -> None:
        put_pipeline()
        for minutes, kind in ((5, "JOB_COMPLETED"), (90, "JOB_TRIGGERED"), (200, "SLA_MET")):
            put_event(kind, self.NOW - timedelta(minutes=minutes))
        put("events", {"PK": rows.pk("gold"), "SK": rows.seen("x"), "storedAs": "y"})
        put_event("JOB_FAILED", self.NOW, pipeline="other")
        lines = [json.loads(line) for line in ask("events", "gold", "--json").splitlines()]
        assert [each["type"] for each in lines] == ["SLA_MET", "JOB_TRIGGERED", "JOB_COMPLETED"]
        assert lines[0]["detail"] == {"n": 2**60}
        since = ask("events", "gold", "--since", "2h", "--json").splitlines()
        assert [json.loads(line)["type"] for line in since] == ["JOB_TRIGGERED", "JOB_COMPLETED"]
        assert json.loads(ask("events", "gold", "--limit", "1", "--json"))["type"] == "JOB_COMPLETED"
        assert json.loads(ask("events", "gold", "--type", "sla-met", "--json"))["type"] == "SLA_MET"

    def test_those_of_all_pipelines_are_merged(self, ask: Ask) -> None:
        for minutes in range(60):
            kind, pipeline = ("JOB_FAILED", "one") if minutes % 2 else ("SLA_BREACH", "two")
            put_event(kind, self.NOW - timedelta(minutes=minutes), pipeline=pipeline)
        found = [json.loads(line) for line in ask("events", "--json", "--limit", "5").splitlines()]
        assert [each["pipeline"] for each in found] == ["two", "one", "two", "one", "two"]
        assert [each["at"] for each in found] == sorted(each["at"] for each in found)
        since = rfc3339(self.NOW - timedelta(minutes=10))
        only = ask("events", "--type", "JOB_FAILED", "--since", since, "--json").splitlines()
        assert {json.loads(line)["type"] for line in only} == {"JOB_FAILED"}
        assert len(only) == 5

    def test_text_cannot_command_the_terminal(self, ask: Ask) -> None:
        put_event("JOB_FAILED", self.NOW, message="bad\x1b]0;x\x07\nline")
        out = ask("events")
        assert "\x1b" not in out
        assert r"bad\x1b]0;x\x07\nline" in out

    def test_none_is_an_answer_but_not_for_an_unknown_pipeline(self, ask: Ask) -> None:
        put_pipeline()
        assert ask("events", "gold") == "no events\n"
        assert ask("events", "gol", code=1).startswith("PIPELINE: there is no pipeline 'gol'")
        put_event("JOB_FAILED", self.NOW, pipeline="removed")
        assert "removed 2026-03-03" in ask("events", "removed")


class TestSensor:
    def test_the_row_is_as_the_readme_has_it(self, ask: Ask) -> None:
        put_pipeline(validation={"rules": [{"key": "orders-loaded", "check": "exists"}]})
        given = ["status=complete", "row_count=48210", "--date", "2026-11-24", "--updated-at", "2026-11-24T11:52:07Z"]
        out = ask("sensor", "put", "gold", "orders-loaded", *given)
        page = (ROOT / "README.md").read_text("utf-8")
        block = re.search(r"--item '(\{.*?^\})'", page, re.DOTALL | re.MULTILINE)
        assert block
        documented = json.loads(block[1]) | {"PK": {"S": "PIPELINE#gold"}}
        key = {name: documented[name] for name in ("PK", "SK")}
        row = boto3.client("dynamodb").get_item(TableName="dev-interlock-control", Key=key)["Item"]
        assert row == documented
        assert "It is for 2026-11-24. It is read by:" in out
        assert "validation.rules[0]  orders-loaded: exists  holds" in out

    def test_what_no_rule_reads_is_refused_unless_forced(self, ask: Ask) -> None:
        put_pipeline()
        told = ask("sensor", "put", "gold", "order", "x=1", code=1)
        assert told.startswith("KEY: no rule of gold reads 'order'; did you mean orders?")
        assert "SENSOR#order" not in stored("control")
        assert "No rule reads it." in ask("sensor", "put", "gold", "order", "x=1", "--force")
        assert stored("control")["SENSOR#order"]["data"] == {"x": 1}

    def test_a_key_and_a_date_that_contradict_are_refused_unless_forced(self, ask: Ask) -> None:
        put_pipeline()
        given = ("sensor", "put", "gold", "orders#2026-11-23", "count=1", "--date", "2026-11-24")
        told = ask(*given, code=1)
        assert told.startswith("KEY: 'orders#2026-11-23' is read for 2026-11-23, and the fields say 2026-11-24: leave")
        assert "SENSOR#orders#2026-11-23" not in stored("control")
        ask(*given, "--force")
        ask("sensor", "put", "gold", "orders#20261125", "count=1", "--date", "2026-11-25")
        assert {"SENSOR#orders#2026-11-23", "SENSOR#orders#20261125"} <= stored("control").keys()

    def test_an_unknown_pipeline_is_refused_even_when_forced(self, ask: Ask) -> None:
        assert "there is no pipeline 'gold'" in ask("sensor", "put", "gold", "orders", "--force", code=1)
        assert stored("control") == {}

    def test_sensors_are_listed_with_their_readers(self, ask: Ask) -> None:
        put_pipeline()
        put("control", {"PK": rows.pk("gold"), "SK": "SENSOR#orders#2026-03-03", "count": 12, "ttl": 5})
        put("control", {"PK": rows.pk("gold"), "SK": "SENSOR#broken", "data": "text"})
        found = {each["key"]: each for each in json.loads(ask("sensor", "list", "gold", "--json"))}
        assert found["orders#2026-03-03"]["fields"] == {"count": 12}
        assert found["orders#2026-03-03"]["readBy"][0]["path"] == "schedule.trigger"
        out = ask("sensor", "list", "gold")
        assert re.search(r"^broken +- +- +it is broken: ", out, re.MULTILINE)
        assert re.search(r"^orders#2026-03-03 +2026-03-03 ", out, re.MULTILINE)


class TestRerun:
    def test_the_row_is_as_the_runbook_has_it(self, ask: Ask) -> None:
        put_pipeline()
        ask("rerun", "gold", "2026-03-03", "--reason", "correction", "--by", "on-call")
        row = stored("control")["RERUN_REQUEST#stream#2026-03-03"]
        page = (ROOT / "docs/operations.md").read_text("utf-8")
        block = re.search(r"--item '(\{.*?^\})'", page, re.DOTALL | re.MULTILINE)
        assert block
        assert row.keys() == json.loads(block[1]).keys()
        assert (row["reason"], row["requestedBy"], row["interlockKind"]) == ("correction", "on-call", "REQUEST")
        assert datetime.fromisoformat(row["requestedAt"]) > datetime.now(UTC) - timedelta(minutes=1)
        told = ask("rerun", "gold", "2026-03-03", "--reason", "again", "--by", "me", code=1)
        assert told.startswith("a request of on-call for gold 2026-03-03 is waiting already")

    def test_what_is_sure_to_be_refused_is_not_written(self, ask: Ask) -> None:
        put_pipeline(schedule={"exclude": {"dates": ["2026-03-03"]}}, job={"maxManualReruns": 0})
        told = ask("rerun", "gold", "2026-03-03", "--reason", "x", code=1)
        assert told == "gold is not run again for 2026-03-03: 2026-03-03 is a date excluded by schedule.exclude\n"
        ended = {"status": "COMPLETED", "attempt": 0, "startedAt": "2026-03-04T09:00:00Z"}
        put("control", {"PK": rows.pk("gold"), "SK": rows.trigger("stream", "2026-03-04"), **ended})
        told = ask("rerun", "gold", "2026-03-04", "--reason", "x", code=1)
        assert told == "gold is not run again for 2026-03-04: the budget is spent: 0 of maxManualReruns 0 used\n"
        assert not [key for key in stored("control") if key.startswith(rows.RERUN_REQUEST_PREFIX)]

    def test_what_may_change_is_written_with_a_doubt(self, ask: Ask) -> None:
        put_pipeline()
        running = {"status": "RUNNING", "attempt": 0, "startedAt": "2026-03-03T09:00:00Z"}
        put("control", {"PK": rows.pk("gold"), "SK": rows.trigger("stream", "2026-03-03"), **running})
        out = ask("rerun", "gold", "2026-03-03", "--reason", "x", "--by", "me")
        assert out.endswith("As things stand it will be refused: run in progress\n")

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (["--reason", " "], "--reason: is empty"),
            (["--reason", "job-fail-retry"], "--reason: 'job-fail-retry' is a reason that only Interlock itself gives"),
            (["--reason", "x", "--by", "interlock"], "--by: 'interlock' stands for Interlock itself"),
        ],
    )
    def test_nobody_speaks_for_interlock(self, ask: Ask, options: list[str], told: str) -> None:
        put_pipeline()
        assert ask("rerun", "gold", "2026-03-03", *options, code=1).startswith(told)

    def test_a_date_far_ahead_is_a_slip(self, ask: Ask) -> None:
        put_pipeline()
        told = ask("rerun", "gold", "2999-01-01", "--reason", "x", "--by", "me", code=1)
        assert told.startswith("DATE: 2999-01-01 is more than 31 days ahead; expected one up to 20")

    def test_what_is_not_utf_8_is_not_written(self, ask: Ask) -> None:
        put_pipeline()
        told = ask("rerun", "gold", "2026-03-03", "--reason", "\udcff", "--by", "me", code=1)
        assert told == r"reason: '\udcff' is not UTF-8" + "\n"

    def test_a_date_to_come_must_be_named(self, ask: Ask) -> None:
        later = datetime.now(UTC) + timedelta(days=40)
        put_pipeline(schedule={"cron": f"0 0 1 {later.month} *", "trigger": None})
        told = ask("rerun", "gold", "--reason", "x", "--by", "me", code=1)
        assert told == "DATE: gold has not run yet; say for which date it shall\n"

    def test_without_an_answer_waiting_ends(self, ask: Ask) -> None:
        put_pipeline()
        options = ["--reason", "x", "--by", "me", "--wait", "--timeout", "0"]
        assert ask("rerun", "gold", "2026-03-03", *options, code=1).startswith("there was no answer within 0 seconds")


class TestTheInstallation:
    def test_it_is_named_by_an_option_or_the_environment(
        self, tables: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("INTERLOCK_ENV", raising=False)
        assert main(["status"]) == 1
        assert capsys.readouterr().err.startswith("--env: which installation?")
        monkeypatch.setenv("INTERLOCK_ENV", "dev")
        assert main(["status"]) == 0

    def test_one_that_is_not_there_says_what_was_looked_for(self, ask: Ask) -> None:
        told = ask("status", "--name-suffix", "eu", code=1)
        assert told.startswith("there is no table dev-interlock-control-eu in eu-west-1: looked for the installation")
        assert "--env dev --name-suffix eu" in told
        assert "there is no table dev-interlock-control in us-east-1" in ask("status", "--region", "us-east-1", code=1)

    def test_a_role_without_permission_learns_which_it_lacks(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        refusal = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "User: joe may not"}
        with WebServer(lambda _: Reply(400, refusal)) as server:
            assert main(["status", "--env", "dev", "--endpoint-url", server.url]) == 1
        told = "dynamodb:Query on dev-interlock-control/index/kind-index is not allowed, and is needed here."
        assert capsys.readouterr().err == f"{told} AWS says: User: joe may not\n"
