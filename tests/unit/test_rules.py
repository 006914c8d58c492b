"""Rules: each check by example, then what holds for any value at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Check, Rule
from interlock_runtime.core.rules import RuleResult, Sensor, belongs, choose, evaluate, evaluate_rule
from interlock_runtime.core.scalars import Mode
from tests.fakes.values import json_values

NOW = datetime(2026, 3, 3, 10, tzinfo=UTC)
TEN = ExecutionDate.parse("2026-03-03T10")


def check(name: Any, observed: Any, value: Any) -> RuleResult:
    rule = Rule(key="rows", check=name, field="count", value=value)
    return evaluate_rule(rule, Sensor("rows#2026-03-03", {"count": observed}), now=NOW)


@pytest.mark.parametrize(
    ("observed", "value", "same"),
    [
        (1000, 1000.0, True),
        (1000.0, 1000, True),
        (2**53 + 1, 2**53, False),
        (2**53 + 1, float(2**53), False),
        (0.1, 0.1, True),
        ("1000", 1000, True),
        ("1000", 1000.0, True),
        ("1000.0", 1000, False),
        (True, True, True),
        (True, False, False),
        ("true", True, True),
        (False, "false", True),
        ("True", True, False),
        (True, 1, False),
        (0, False, False),
        (1, "true", False),
        ("ready", "ready", True),
        ("ready", "Ready", False),
        ("ready ", "ready", False),
        ("", "", True),
        ([1, 2], [1, 2], True),
        ({"b": 1, "a": [True]}, {"a": [True], "b": 1}, True),
        ([1], 1, False),
    ],
)
def test_equals_compares_numbers_as_numbers_and_everything_else_as_text(observed: Any, value: Any, same: bool) -> None:
    assert check("equals", observed, value).passed is same


@pytest.mark.parametrize(
    ("name", "less", "same", "greater"),
    [
        ("gt", False, False, True),
        ("gte", False, True, True),
        ("lt", True, False, False),
        ("lte", True, True, False),
    ],
)
@pytest.mark.parametrize(
    "values", [(999, 1000, 1001), ("999", "1000.0", "1e4"), (999.9, 1e3, 1000.1), (-1, 1000, "1001")]
)
def test_comparisons_take_numbers_and_texts_that_are_numbers(
    name: str, less: bool, same: bool, greater: bool, values: tuple[Any, Any, Any]
) -> None:
    assert [check(name, value, 1000).passed for value in values] == [less, same, greater]


def test_integers_beyond_the_exact_range_of_floats_are_compared_exactly() -> None:
    assert check("gt", 2**53 + 1, 2**53).passed
    assert not check("gt", 2**53, 2**53 + 1).passed
    assert check("lt", str(10**30), 10**30 + 1).passed


@pytest.mark.parametrize("observed", ["many", "", "NaN", "Infinity", float("nan"), float("inf"), True, [1], {}, "1_0"])
@pytest.mark.parametrize("name", ["gt", "gte", "lt", "lte"])
def test_what_is_no_number_fails_a_comparison(name: str, observed: Any) -> None:
    result = check(name, observed, 5)
    assert not result.passed
    assert "not a number" in result.reason


def test_a_threshold_that_is_no_number_fails_too() -> None:
    assert check("gt", 6, "five").reason == "sensor rows#2026-03-03: the rule's value 'five' is not a number"


@pytest.mark.parametrize(
    ("observed", "age"),
    [
        ("2026-03-03T09:30:00Z", timedelta(minutes=30)),
        ("2026-03-03T10:30:00+01:00", timedelta(minutes=30)),
        (1772530200, timedelta(minutes=30)),
        ("1772530200", timedelta(minutes=30)),
        (1772530200.0, timedelta(minutes=30)),
        (1772530200000, timedelta(minutes=30)),
        ("1772530200000", timedelta(minutes=30)),
        ("2026-03-03T11:00:00Z", timedelta(0)),
        ("2026-03-03T09:00:00Z", timedelta(hours=1)),
    ],
)
def test_age_is_now_minus_the_time_and_never_negative(observed: Any, age: timedelta) -> None:
    younger, older = check("age_lt", observed, "1h"), check("age_gt", observed, "10m")
    assert younger.age == older.age == age
    assert younger.passed is (age < timedelta(hours=1))
    assert older.passed is (age > timedelta(minutes=10))


@pytest.mark.parametrize("observed", ["yesterday", "2026-03-03", "2026-03-03T09:30:00", True, [1], {}, 10**40, "NaN"])
@pytest.mark.parametrize("name", ["age_lt", "age_gt"])
def test_a_bad_timestamp_fails_with_a_reason(name: str, observed: Any) -> None:
    result = check(name, observed, "1h")
    assert not result.passed
    assert "not an RFC 3339 time with its offset, or seconds or milliseconds since 1970" in result.reason


def test_an_age_that_is_no_duration_fails_with_a_reason() -> None:
    assert (
        check("age_lt", 1772530200, "soon").reason
        == "sensor rows#2026-03-03: the rule's value 'soon' is not a duration"
    )


@pytest.mark.parametrize(
    ("rule", "sensor", "reason"),
    [
        (Rule(key="rows", check="exists"), None, "sensor rows is missing"),
        (Rule(key="rows", check="exists"), Sensor("rows", {}), "sensor rows exists"),
        (
            Rule(key="rows", check="exists", field="count"),
            Sensor("rows", {"count": 0}),
            "sensor rows: field count exists",
        ),
        (Rule(key="rows", check="exists", field="count"), Sensor("rows", {}), "sensor rows: field count is missing"),
        (
            Rule(key="rows", check="gt", value=1),
            Sensor("rows", {}),
            "sensor rows: the rule's check gt needs a field, and has none",
        ),
        (
            Rule(key="rows", check="gt", field="count", value=1),
            Sensor("rows", {"count": None}),
            "sensor rows: field count is null",
        ),
        (
            Rule(key="rows", check="equals", field="status", value="ready"),
            Sensor.of_row("rows", {"status": "ready"}),
            "sensor rows: field status is missing; that name is reserved at the top level of a row, so it must be "
            "inside data",
        ),
        (
            Rule(key="rows", check="gte", field="count", value=1000),
            Sensor("rows#2026-03-03", {"count": 900}),
            "sensor rows#2026-03-03: count is 900, but must be at least 1000",
        ),
        (
            Rule(key="rows", check="lt", field="count", value=1000),
            Sensor("rows", {"count": "12"}),
            "sensor rows: count is '12', as required less than 1000",
        ),
        (
            Rule(key="rows", check="age_lt", field="at", value="1h"),
            Sensor("rows", {"at": "2026-03-03T07:30:00Z"}),
            "sensor rows: at is '2026-03-03T07:30:00Z', 2h30m old, but must be younger than 1h",
        ),
        (
            Rule(key="rows", check="near", field="count", value=1),  # type: ignore[arg-type]
            Sensor("rows", {"count": 1}),
            "sensor rows: the rule's check 'near' is not known",
        ),
    ],
)
def test_every_result_says_why_in_words(rule: Rule, sensor: Sensor | None, reason: str) -> None:
    assert evaluate_rule(rule, sensor, now=NOW).reason == reason


def test_a_result_tells_rule_observation_and_age() -> None:
    sensor = Sensor("rows", {"count": 7, "updatedAt": "2026-03-03T09:00:00Z"})
    rule = Rule(key="rows", check="gt", field="count", value=5)
    assert evaluate_rule(rule, sensor, now=NOW).describe() == {
        "key": "rows",
        "check": "gt",
        "field": "count",
        "value": 5,
        "sensorKey": "rows",
        "observed": 7,
        "ageSeconds": 3600.0,
        "passed": True,
        "reason": "sensor rows: count is 7, as required greater than 5",
    }


@pytest.mark.parametrize(
    ("sensor_key", "rule_key", "expected"),
    [
        ("rows", "rows", True),
        ("rows#2026-03-03T10", "rows", True),
        ("rows#20260303T10", "rows", True),
        ("rows#", "rows", True),
        ("rows-eu", "rows", False),
        ("rows", "rows#2026-03-03", False),
        ("row", "rows", False),
        ("rows#eu#2026-03-03", "rows#eu", True),
    ],
)
def test_a_sensor_belongs_to_the_rule_of_its_key_or_of_what_stands_before_a_hash(
    sensor_key: str, rule_key: str, expected: bool
) -> None:
    assert belongs(sensor_key, rule_key) is expected


def test_fields_are_read_from_data_and_from_the_top_level_and_data_wins() -> None:
    row = {"PK": "PIPELINE#gold", "SK": "SENSOR#rows", "ttl": 1, "count": 1, "date": "2026-03-03", "data": {"count": 2}}
    assert Sensor.of_row("rows", row) == Sensor("rows", {"count": 2, "date": "2026-03-03"})


def test_a_field_inside_data_may_have_any_name() -> None:
    assert Sensor.of_row("rows", {"data": {"status": "ready", "ttl": 5}}).fields == {"status": "ready", "ttl": 5}


def test_data_that_is_no_map_is_a_broken_sensor_not_a_missing_one() -> None:
    sensor = Sensor.of_row("rows", {"data": "{}", "count": 5})
    for rule in (Rule(key="rows", check="exists"), Rule(key="rows", check="gt", field="count", value=1)):
        result = evaluate_rule(rule, sensor, now=NOW)
        assert not result.passed
        assert result.reason == "sensor rows is broken: its data is '{}', not a map of fields"


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ({}, None),
        ({"rows": {"count": 1}}, "rows"),
        ({"rows": {"count": 1}, "rows#20260303T10": {}}, "rows#20260303T10"),
        ({"rows": {}, "rows#20260303T10": {}, "rows#2026-03-03T10": {}}, "rows#2026-03-03T10"),
        ({"rows#2026-03-03T10": {"date": "2026-03-02"}}, "rows#2026-03-03T10"),
        ({"rows#2026-03-03T09": {}}, None),
    ],
)
def test_the_key_with_the_date_wins_over_the_plain_one(rows: dict[str, dict[str, Any]], key: str | None) -> None:
    sensor = choose("rows", TEN, rows=rows)
    assert (sensor and sensor.key) == key
    assert sensor is None or sensor.problem is None


@pytest.mark.parametrize(
    "fields",
    [{"date": "2026-03-03"}, {"date": "20260303", "hour": "10"}, {"hour": 10}, {"date": "soon"}, {"hour": "99"}, {}],
)
def test_a_plain_row_of_this_period_or_of_none_is_read(fields: dict[str, Any]) -> None:
    sensor = choose("rows", TEN, rows={"rows": {"data": fields}})
    assert sensor == Sensor("rows", fields)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"date": "2026-03-02"}, "2026-03-02"),
        ({"date": "2026-03-03", "hour": "09"}, "2026-03-03 hour 09"),
        ({"hour": 9}, "hour 09"),
    ],
)
def test_a_plain_row_of_another_period_counts_as_missing_and_says_so(fields: dict[str, Any], names: str) -> None:
    result = evaluate_rule(Rule(key="rows", check="exists"), choose("rows", TEN, rows={"rows": fields}), now=NOW)
    assert not result.passed
    assert result.reason == f"sensor rows is missing for 2026-03-03T10: the one that exists is of {names}"


def test_the_hour_of_a_plain_row_means_nothing_to_a_daily_date() -> None:
    sensor = choose("rows", ExecutionDate.parse("2026-03-03"), rows={"rows": {"hour": "09"}})
    assert sensor is not None
    assert sensor.problem is None


def test_no_rules_at_all_pass_in_either_mode() -> None:
    assert evaluate((), mode=Mode.ALL, sensors={}, now=NOW).passed
    assert evaluate((), mode=Mode.ANY, sensors={}, now=NOW).passed


def test_what_counts_as_missing_was_not_observed() -> None:
    sensor = Sensor("rows", {"count": 7, "updatedAt": "2026-03-03T09:00:00Z"}, "is missing for today")
    result = evaluate_rule(Rule(key="rows", check="gte", field="count", value=5), sensor, now=NOW)
    assert (result.passed, result.reason) == (False, "sensor rows is missing for today")
    assert (result.sensor_key, result.observed, result.age) == (None, None, None)


def test_a_verdict_gives_each_reason_once() -> None:
    rules = [Rule(key="errors", check="exists"), Rule(key="errors", check="equals", field="count", value=0)]
    assert evaluate(rules, sensors={}, now=NOW).reasons == ("sensor errors is missing",)


def test_a_verdict_gives_the_reasons_of_the_failed_rules_only_when_it_fails() -> None:
    rules = [Rule(key="rows", check="exists"), Rule(key="errors", check="exists")]
    sensors = {"rows": Sensor("rows", {})}
    assert evaluate(rules, mode=Mode.ALL, sensors=sensors, now=NOW).reasons == ("sensor errors is missing",)
    assert evaluate(rules, mode=Mode.ANY, sensors=sensors, now=NOW).reasons == ()
    described = evaluate(rules, mode=Mode.ANY, sensors=sensors, now=NOW).describe()
    assert (described["passed"], described["mode"]) == (True, "ANY")
    assert [result["passed"] for result in described["rules"]] == [True, False]


checks = st.sampled_from([*get_args(Check), "unknown", ""])
any_rules = st.builds(
    Rule,
    key=st.sampled_from("ab"),
    check=checks,
    field=st.none() | st.sampled_from(["f", "updatedAt"]),
    value=json_values,
)
any_rows = st.dictionaries(st.sampled_from(["f", "updatedAt", "date", "hour", "data", "ttl"]), json_values)
any_sensors = st.dictionaries(st.sampled_from("ab"), any_rows.map(lambda row: Sensor.of_row("a", row)) | st.none())


@given(rule=any_rules, row=any_rows)
def test_a_rule_never_raises_and_its_result_is_json(rule: Rule, row: dict[str, Any]) -> None:
    sensor = choose("a", TEN, rows={"a": row})
    result = evaluate_rule(rule, sensor, now=NOW)
    assert result.reason
    described = json.dumps(result.describe(), allow_nan=False)
    assert len(described) < 10_000


@given(rule=any_rules)
def test_a_missing_sensor_fails_every_rule(rule: Rule) -> None:
    assert not evaluate_rule(rule, None, now=NOW).passed


@given(rules=st.lists(any_rules, max_size=4), more=any_rules, sensors=any_sensors)
def test_one_more_rule_never_makes_all_pass_nor_any_fail(
    rules: list[Rule], more: Rule, sensors: dict[str, Sensor | None]
) -> None:
    def passed(mode: Mode, over: list[Rule]) -> bool:
        return evaluate(over, mode=mode, sensors=sensors, now=NOW).passed

    assert passed(Mode.ALL, [*rules, more]) <= passed(Mode.ALL, rules)
    if rules:
        assert passed(Mode.ANY, rules) <= passed(Mode.ANY, [*rules, more])
        assert passed(Mode.ALL, rules) <= passed(Mode.ANY, rules)


@given(value=json_values)
def test_what_equals_itself_is_whatever_can_be_written_down(value: Any) -> None:
    result = check("equals", value, value)
    assert result.passed or value is None or _has_no_text(value)


def _has_no_text(value: Any) -> bool:
    """NaN, the infinities and integers of hundreds of digits are equal to nothing, not even to themselves."""
    return not isinstance(value, (str, bool)) and (isinstance(value, float) or abs(value) >= 10**400)
