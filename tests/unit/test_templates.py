"""Templates in job.config: found, told apart, and the secrets among them."""

from __future__ import annotations

import pytest

from interlock_runtime.core.templates import Secret, Template, is_run_time, named_secrets, templates, texts
from tests.fakes.pipelines import pipeline


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a $b {c}", []),
        ("${DATE}T${HOUR}", [Template("DATE"), Template("HOUR")]),
        ("$${DATE} ${HOUR}", [Template("HOUR")]),
        ("$$${DATE}", []),
        ("${DATE", [Template("DATE", closed=False)]),
        ("${}", [Template("")]),
        ("${secret:a/b#c}", [Template("secret:a/b#c")]),
        ("${secret:${TfToken[TOKEN.1]}#c}", [Template("secret:${TfToken[TOKEN.1]}#c")]),
    ],
)
def test_templates_are_found_from_left_to_right(text: str, found: list[Template]) -> None:
    assert list(templates(text)) == found


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("secret:a/b", Secret("a/b")),
        ("secret:a/b#key", Secret("a/b", "key")),
        ("secret:a/b#", Secret("a/b")),
        (
            "secret:arn:aws:secretsmanager:eu-west-1:1:secret:a#k",
            Secret("arn:aws:secretsmanager:eu-west-1:1:secret:a", "k"),
        ),
        ("secret:", Secret("")),
        ("DATE", None),
        ("secret", None),
    ],
)
def test_a_template_may_stand_for_a_secret(name: str, secret: Secret | None) -> None:
    assert Template(name).secret == secret


@pytest.mark.parametrize(
    ("name", "yes"),
    [("DATE", True), ("RUN_ID", True), ("INTERLOCK_X", True), ("secret:x", True), ("date", False), ("TODAY", False)],
)
def test_what_a_run_fills_in_is_known_by_its_name(name: str, yes: bool) -> None:
    assert is_run_time(name) is yes


def test_every_text_has_its_path() -> None:
    config = pipeline(
        job={
            "type": "http",
            "config": {"url": "https://a", "headers": {"X": "h"}, "body": {"list": [1, "b", {"deep": "c"}]}},
        }
    ).job.config
    assert dict(texts(config, ("job", "config"))) == {
        ("job", "config", "url"): "https://a",
        ("job", "config", "method"): "POST",
        ("job", "config", "headers", "X"): "h",
        ("job", "config", "body", "list", 1): "b",
        ("job", "config", "body", "list", 2, "deep"): "c",
    }


def test_the_secrets_of_a_pipeline_are_named_once_and_sorted() -> None:
    found = named_secrets(
        pipeline(
            job={
                "type": "http",
                "config": {
                    "url": "https://${secret:host}",
                    "headers": {"A": "${secret:b#k} ${secret:b}", "B": "${secret:b#k} $${secret:literal}"},
                },
            }
        )
    )
    assert found == (Secret("b"), Secret("b", "k"), Secret("host"))
