"""What is stored is, after Terraform has evaluated it, what the document said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.documents import document, folder, load
from tests.terraform.commands import run

pytestmark = pytest.mark.terraform

LITERALS = (
    "${DATE}",
    "$${DATE}",
    "$$${DATE}",
    "%{if}",
    "%%{if}",
    "$%{",
    "%${DATE}",
    "$",
    "$$",
    "100%",
    "{}",
    '"${DATE}"',
    "\\${DATE}",
    "<&>'\t\u2028ü",
    "${secret:name#key}",
    "${TfToken[TOKEN.1]}",
)


def test_terraform_evaluates_the_text_of_a_row_to_what_the_document_said(
    terraform_usable: None, tmp_path: Path
) -> None:
    # Braces that are no template of ours stand in a key: there nothing is read as a template.
    payload = {"literals": dict.fromkeys(LITERALS, 1), "arn": "${arn}", "secret": "${secret:${arn}#key} ${DATE}"}
    job = {"type": "lambda", "config": {"functionName": "${arn}", "payload": payload}}
    made = folder(tmp_path, {"a.yaml": document(job=job)})
    (pipeline,) = load(made, pipeline_variables={"arn": "${local.arn}"})
    stack = {
        "locals": {"arn": "arn:aws:lambda:eu-west-1:123456789012:function:x"},
        # As the row's item has it: JSON within JSON.
        "output": {"item": {"value": json.dumps({"config": {"S": pipeline.template}})}},
    }
    made.joinpath("stack.tf.json").write_text(json.dumps(stack), encoding="utf-8")

    run(["terraform", "init"], folder=made)
    run(["terraform", "apply", "-auto-approve"], folder=made)
    state = json.loads(made.joinpath("terraform.tfstate").read_text("utf-8"))
    item = json.loads(state["outputs"]["item"]["value"])

    arn = stack["locals"]["arn"]
    assert json.loads(item["config"]["S"]) == json.loads(pipeline.config.replace("${local.arn}", arn))
    assert json.loads(item["config"]["S"])["job"]["config"]["payload"]["literals"].keys() == set(LITERALS)
