"""The lazily loaded bindings, beside somebody's own imports of them; each case in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.processes import python

pytestmark = pytest.mark.slow

#: Far fewer than the package has, and more than we use.
FEW = 60

COUNT = "len([name for name in sys.modules if name.startswith('cdktf_cdktf_provider_aws.')])"

THEIRS = """
import cdktf_cdktf_provider_aws
import cdktf_cdktf_provider_aws.sns_topic
import cdktf_cdktf_provider_aws as aws
from cdktf_cdktf_provider_aws import sns_topic
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic

assert cdktf_cdktf_provider_aws.sns_topic is aws.sns_topic is sns_topic
assert sns_topic.SnsTopic is SnsTopic
assert aws.sqs_queue.SqsQueue
assert "s3_bucket" in dir(aws)
"""

APP = """
import cdktf
from interlock_tf import _cdk
stack = cdktf.TerraformStack(cdktf.App(), "platform")
_cdk.AwsProvider(stack, "aws")
topic = SnsTopic(stack, "topic", name="on-call")
assert topic.node.scope is stack
assert [type(child).__name__ for child in stack.node.children] == ["AwsProvider", "SnsTopic"]
assert "on-call" in str(stack.to_terraform())
"""


def run(code: str, folder: Path, **environment: str) -> str:
    done = python("-W", "error", "-c", code, folder=folder, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_their_imports_after_ours(tmp_path: Path) -> None:
    code = f"import sys\nimport interlock_tf._cdk\n{THEIRS}{APP}print({COUNT})"
    assert int(run(code, tmp_path)) < FEW


def test_a_submodule_that_does_not_exist_is_told_as_always(tmp_path: Path) -> None:
    run(
        """
import interlock_tf._cdk
import cdktf_cdktf_provider_aws as aws
try:
    aws.no_such_thing
except AttributeError as error:
    assert "no_such_thing" in str(error)
else:
    raise SystemExit("no error")
try:
    from cdktf_cdktf_provider_aws import no_such_thing
except ImportError:
    pass
else:
    raise SystemExit("no error")
try:
    import cdktf_cdktf_provider_aws.no_such_thing
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("no error")
""",
        tmp_path,
    )


def test_their_imports_before_ours_stay_as_they_are(tmp_path: Path) -> None:
    code = f"import sys\n{THEIRS}before = sys.modules['cdktf_cdktf_provider_aws']\n{APP}"
    code += f"assert sys.modules['cdktf_cdktf_provider_aws'] is before\nprint({COUNT})"
    quiet = {"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20,22,24"}
    assert int(run(code, tmp_path, **quiet)) > FEW


def test_laziness_can_be_switched_off(tmp_path: Path) -> None:
    code = f"import sys\nimport interlock_tf._cdk\n{THEIRS}{APP}print({COUNT})"
    assert int(run(code, tmp_path, INTERLOCK_EAGER_BINDINGS="1")) > FEW


def test_nothing_heavy_is_loaded_before_it_is_used(tmp_path: Path) -> None:
    code = """
import sys
import interlock_tf
from interlock_tf import Concurrency, ConfigError, VpcConfig
import interlock_tf.pipelines
print([name for name in ("jsii", "cdktf", "boto3", "moto") if name in sys.modules])
"""
    assert run(code, tmp_path) == "[]\n"
