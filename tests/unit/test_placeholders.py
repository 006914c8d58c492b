"""Placeholders: what is filled in at synth, what is left for the run, and what Terraform is given."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from interlock_runtime.core.errors import ConfigError
from interlock_tf.documents.placeholders import Scalar, Variables, fill_in, has_placeholder, terraform_text

TOKEN = "${TfToken[TOKEN.7]}"
VARIABLES = Variables(
    {"environment": "dev", "retries": 3, "share": 0.5, "on": True, "arn": TOKEN, "bucket": f"s3://{TOKEN}/in"}
)


def filled(text: str, **options: Any) -> tuple[Scalar, list[str]]:
    complaints: list[str] = []
    return fill_in(text, VARIABLES, complain=complaints.append, **options), complaints


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${environment}", "dev"),
        ("lake-${environment}-${environment}", "lake-dev-dev"),
        ("${retries}", 3),
        ("${share}", 0.5),
        ("${on}", True),
        ("x${retries}", "x3"),
        ("x${on}", "xtrue"),
        ("${arn}", TOKEN),
        ("${bucket}/${DATE}", f"s3://{TOKEN}/in/${{DATE}}"),
        ("${secret:${arn}#key}", f"${{secret:{TOKEN}#key}}"),
        ("${secret:warehouse/etl}", "${secret:warehouse/etl}"),
        ("${INTERLOCK_REGION}", "${INTERLOCK_REGION}"),
        ("$5 and 10% {a}", "$5 and 10% {a}"),
    ],
)
def test_a_placeholder_in_lower_case_is_filled_in(text: str, value: Scalar) -> None:
    found, complaints = filled(text)
    assert (found, complaints) == (value, [])
    assert type(found) is type(value)


def test_an_escaped_placeholder_is_its_literal() -> None:
    assert filled("$${environment} ${environment}") == ("${environment} dev", [])


def test_the_escape_stays_where_a_run_fills_in_the_rest() -> None:
    assert filled("$${environment} ${environment}", keep_escapes=True) == ("$${environment} dev", [])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("${nope}", "${nope} is not a pipeline variable; there are arn, bucket, environment, on, retries, share"),
        ("a ${nope} b", "${nope} is not a pipeline variable"),
        ("${", "'${' has no closing brace; write $${ for a literal ${"),
        ("${environment", "'${environment' has no closing brace"),
        ("${}", "'${}' is no placeholder"),
        ("${ environment }", "'${ environment }' is no placeholder"),
        ("${a.b}", "'${a.b}' is no placeholder"),
        ("${Environment}", "'${Environment}' is no placeholder"),
    ],
)
def test_what_cannot_be_filled_in_is_complained_of_and_left(text: str, complaint: str) -> None:
    found, (told,) = filled(text)
    assert found == text
    assert told.startswith(complaint)


def test_values_are_not_read_as_templates() -> None:
    variables = Variables({"a": "${b}", "b": "x"})
    assert fill_in("${a}", variables) == "${b}"
    assert fill_in("-${a}", variables) == "-${b}"


@pytest.mark.parametrize(("text", "has"), [("${a}", True), ("$${a}", False), ("${A}", False), ("a", False)])
def test_a_placeholder_is_recognised(text: str, has: bool) -> None:
    assert has_placeholder(text) is has


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Upper", "x", "is not a name for a placeholder"),
        ("a-b", "x", "is not a name for a placeholder"),
        ("a", None, "null is not valid; expected text, a number, True or False"),
        ("a", ["x"], "a list of 1 is not valid; expected text, a number, True or False"),
        ("a", "#{TfToken[TOKEN.0]}", "is a Terraform list or map; a placeholder stands for one text"),
        ("a", float("nan"), "nan is not a number that can be stored"),
        ("a", float("inf"), "inf is not a number that can be stored"),
        ("a", struct.unpack(">d", b"\xfb\xff" + bytes(6))[0], "is a Terraform number; turn it into text"),
    ],
)
def test_a_variable_that_cannot_work_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Variables({name: value})
    assert str(caught.value).startswith(f"pipeline_variables.{name}: {message}")


class TestTerraformText:
    def test_a_literal_is_escaped(self) -> None:
        assert terraform_text('{"a":"${DATE} %{if} 5$ 5%"}', VARIABLES) == '{"a":"$${DATE} %%{if} 5$ 5%"}'

    def test_an_expression_that_came_by_a_variable_stays(self) -> None:
        text = json.dumps({"a": f"{TOKEN}/${{DATE}}"})
        assert terraform_text(text, VARIABLES) == json.dumps({"a": f"{TOKEN}/$${{DATE}}"})

    def test_a_literal_around_an_expression_is_written_so_that_cdktf_does_not_take_it_for_one(self) -> None:
        text = f"${{DATE}} ${{secret:{TOKEN}#k}} ${{DATE}}"
        assert terraform_text(text, VARIABLES) == f"$${{DATE}} %{{if true}}$%{{endif}}{{secret:{TOKEN}#k}} $${{DATE}}"

    def test_many_literals_take_no_longer_than_their_length(self) -> None:
        text = "${" * 200_000 + TOKEN
        assert terraform_text(text, VARIABLES).count("endif") == 200_000

    def test_what_only_looks_like_an_expression_is_a_literal(self) -> None:
        assert terraform_text("${TfToken[TOKEN.8]}", VARIABLES) == "$${TfToken[TOKEN.8]}"

    def test_a_value_for_the_run_is_no_expression(self) -> None:
        variables = Variables({"suffix": "${DATE}"})
        assert variables.expressions == ()
        assert terraform_text("a-${DATE}", variables) == "a-$${DATE}"

    def test_the_longer_of_two_expressions_is_seen_first(self) -> None:
        variables = Variables({"a": "${x}", "b": "${x}${y}"})
        assert terraform_text("${x}${y}", variables) == "${x}${y}"
