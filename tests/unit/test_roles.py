"""The roles of a stack: whose policies count, and what is said when one is too narrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.iam_policies import Access
from interlock_tf.local.roles import Principal, Roles
from interlock_tf.local.terraform_json import Configuration, StackError

ROUTER = Principal("arn:aws:iam::123456789012:role/router", "dev-router")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:letters"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def allow(*actions: str, on: str = QUEUE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def roles(folder: Path, *statements: dict[str, Any], key: str | None = None, **policies: dict[str, Any]) -> Roles:
    """A role with one policy, a queue, and policies of others."""
    own = {"name": "own", "role": "${aws_iam_role.router.id}", "policy": json.dumps({"Statement": statements})}
    document = {
        "resource": {
            "aws_iam_role": {"router": {"name": "router"}},
            "aws_iam_role_policy": {"own": own, **policies},
            "aws_sqs_queue": {"letters": {"name": "letters", **({"kms_master_key_id": key} if key else {})}},
        }
    }
    (folder / "cdk.tf.json").write_text(json.dumps(document))
    return Roles(Configuration.read(folder))


def test_a_refusal_is_told_in_the_words_of_aws(tmp_path: Path) -> None:
    who = "User: arn:aws:sts::123456789012:assumed-role/router/dev-router is not authorized to perform: sqs:SendMessage"
    told = f"{who} on resource: {QUEUE} "
    send = [Access("sqs:SendMessage", QUEUE)]
    assert roles(tmp_path, allow("sqs:SendMessage")).refusal(ROUTER, send) is None
    nothing = roles(tmp_path).refusal(ROUTER, send)
    assert nothing == f"{told}because no identity-based policy allows the sqs:SendMessage action"
    denied = roles(tmp_path, allow("sqs:*"), allow("sqs:SendMessage", Effect="Deny")).refusal(ROUTER, send)
    assert denied == f"{told}with an explicit deny in an identity-based policy"


def test_whoever_is_interested_is_told(tmp_path: Path) -> None:
    found: list[str] = []
    made = roles(tmp_path, allow("sqs:ReceiveMessage"))
    made.refused = found.append
    call = {"QueueUrl": "https://sqs/123456789012/letters", "MessageBody": "x"}
    with pytest.raises(ServiceError) as refused:
        made.check_call(ROUTER, "sqs", "SendMessage", call)
    assert refused.value.code == "AccessDeniedException"
    assert found == [refused.value.message]
    assert made.nearest(ROUTER, "sqs:SendMessage") == f"own: sqs:ReceiveMessage on {QUEUE}"
    assert made.nearest(ROUTER, "glue:GetJobRun") == "no policy of the role speaks of glue"


def test_a_call_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="not known here which rights PurgeQueue of sqs takes"):
        roles(tmp_path, allow("sqs:*")).check_call(ROUTER, "sqs", "PurgeQueue", {})


def test_what_is_encrypted_by_a_key_takes_the_right_to_use_it(tmp_path: Path) -> None:
    send = [Access("sqs:SendMessage", QUEUE)]
    through = {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}
    use = allow("kms:Decrypt", "kms:GenerateDataKey", on=KEY, Condition=through)
    elsewhere = allow(
        "kms:Decrypt",
        "kms:GenerateDataKey",
        on=KEY,
        Condition={"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}},
    )
    assert roles(tmp_path, allow("sqs:SendMessage"), use, key=KEY).refusal(ROUTER, send) is None
    for statements in ([], [elsewhere]):
        refusal = roles(tmp_path, allow("sqs:SendMessage"), *statements, key=KEY).refusal(ROUTER, send)
        assert f"kms:GenerateDataKey on resource: {KEY}" in (refusal or "")
    assert roles(tmp_path, allow("sqs:SendMessage"), key="alias/aws/sqs").refusal(ROUTER, send) is None


def test_policies_of_roles_outside_of_the_stack_are_nobodys_business(tmp_path: Path) -> None:
    made = roles(
        tmp_path,
        allow("sqs:SendMessage"),
        given={"name": "x", "role": "loader", "policy": "${jsonencode(local.policy)}"},
        unknown={"name": "x", "role": "${data.aws_iam_role.loader.name}", "policy": "{}"},
    )
    assert made.refusal(ROUTER, [Access("sqs:SendMessage", QUEUE)]) is None
    assert {grant.role for grant in made.granted()} == {"router"}


def test_a_policy_that_is_not_understood_is_told_when_its_role_is_used(tmp_path: Path) -> None:
    strange = {"name": "x", "role": "${aws_iam_role.router.name}", "policy": "${jsonencode(local.policy)}"}
    made = roles(tmp_path, allow("sqs:SendMessage"), strange=strange)
    with pytest.raises(StackError, match=r"aws_iam_role_policy\.strange: the expression .*jsonencode"):
        made.refusal(ROUTER, [Access("sqs:SendMessage", QUEUE)])


def test_a_role_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="there is no role nobody in the stack"):
        roles(tmp_path).refusal(Principal("arn:aws:iam::123456789012:role/nobody", "x"), [Access("sqs:*", QUEUE)])
