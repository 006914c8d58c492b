"""Tables and queues encrypted with a key of your own, and the policy that this key needs."""

import json

# Imported first, Interlock makes the AWS bindings load piece by piece, which saves most of the time.
from interlock_tf import Interlock  # isort: split

from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from cdktf_cdktf_provider_aws.provider import AwsProvider


def key_policy(account: str) -> str:
    """Who may use the key: the roles of the account, as far as their own policies say, and EventBridge."""
    roles = {
        "Sid": "RolesOfThisAccount",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    event_bridge = {
        "Sid": "EventBridgeSendsToQueues",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [roles, event_bridge]})


app = App()
stack = TerraformStack(app, "interlock")
AwsProvider(stack, "aws", region="eu-central-1")
account = DataAwsCallerIdentity(stack, "account").account_id
key = KmsKey(stack, "key", enable_key_rotation=True, policy=key_policy(account))
Interlock(
    stack,
    "interlock",
    environment="prod",
    pipelines_path="pipelines",
    calendars_path="calendars",
    kms_key_arn=key.arn,
)
app.synth()
