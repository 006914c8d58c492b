"""Interlock as a part of a stack of your own, beside resources of your own."""

import json

# Imported first, Interlock makes the AWS bindings load piece by piece, which saves most of the time.
from interlock_tf import Interlock  # isort: split

from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy
from constructs import Construct


class DataPlatform(TerraformStack):
    """The stack that the data team owns."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="eu-central-1")
        topic = SnsTopic(self, "on_call", name="on-call")
        senders = allow("sns:Publish", "events.amazonaws.com", "cloudwatch.amazonaws.com", on=topic.arn)
        SnsTopicPolicy(self, "on_call_policy", arn=topic.arn, policy=senders)
        trust = allow("sts:AssumeRole", "lambda.amazonaws.com")
        loader = IamRole(self, "loader", name="orders-loader", assume_role_policy=trust)

        interlock = Interlock(
            self,
            "interlock",
            environment="prod",
            pipelines_path="pipelines",
            calendars_path="calendars",
            sns_alarm_topic_arn=topic.arn,
            deletion_protection=True,
        )
        interlock.grant_sensor_write(loader, pipeline_ids=["gold-revenue"])
        interlock.on_event("breaches", ["SLA_BREACH", "RELATIVE_SLA_BREACH"], topic.arn)


def allow(action: str, *services: str, on: str | None = None) -> str:
    """A policy that lets AWS services do something."""
    statement = {"Effect": "Allow", "Action": action, "Principal": {"Service": list(services)}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | ({"Resource": on} if on else {})]})


app = App()
DataPlatform(app, "data-platform")
app.synth()
