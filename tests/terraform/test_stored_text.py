"""What is stored is, after CDKTF and Terraform have read it, what the document said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cdktf import App, LocalBackend, TerraformLocal, TerraformOutput, TerraformStack

from tests.fakes.documents import document, folder, load
from tests.terraform.commands import run

pytestmark = pytest.mark.terraform

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:x"

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
    "1e5 3e8f -1.5e300",
    "${secret:name#key}",
    "a ${",
)


def test_the_text_of_a_row_becomes_what_the_document_said(terraform_usable: None, tmp_path: Path) -> None:
    stack = TerraformStack(App(outdir=str(tmp_path)), "stack")
    state = tmp_path / "state.json"
    LocalBackend(stack, path=str(state))
    arn = TerraformLocal(stack, "arn", ARN).as_string
    job = {
        "type": "lambda",
        "config": {
            "functionName": "${arn}",
            "payload": {
                # In keys nothing is read as a template, so that literals of any kind may stand there.
                **dict.fromkeys(LITERALS, "${arn}"),
                "secret": "${DATE} ${secret:${arn}#key} ${arn}",
                "escaped": "$${environment} $${${arn}",
            },
        },
    }
    made = folder(tmp_path, {"a.yaml": document(job=job)})
    (pipeline,) = load(made, pipeline_variables={"arn": arn})
    # As the row's item has it: JSON within JSON.
    TerraformOutput(stack, "item", value=json.dumps({"config": {"S": pipeline.template}}))
    App.of(stack).synth()

    output = tmp_path / "stacks" / "stack"
    run(["terraform", "init"], folder=output)
    run(["terraform", "apply", "-auto-approve"], folder=output)
    item = json.loads(json.loads(state.read_text("utf-8"))["outputs"]["item"]["value"])
    stored = json.loads(item["config"]["S"])

    assert stored == json.loads(pipeline.config.replace(arn, ARN))
    assert stored["job"]["config"]["payload"].keys() == {*LITERALS, "secret", "escaped"}
    assert stored["job"]["config"]["payload"]["secret"] == f"${{DATE}} ${{secret:{ARN}#key}} {ARN}"
