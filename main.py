"""The example app: the sample pipelines and calendars, in one stack.

``cdktf deploy`` deploys it, and so does ``python main.py`` with Terraform in the folder
``cdktf.out/stacks/interlock``. The environment variables are for those who want to try
something without editing.
"""

from __future__ import annotations

import os
from pathlib import Path

from interlock_tf import App, InterlockStack

HERE = Path(__file__).parent

app = App()
InterlockStack(
    app,
    "interlock",
    environment=os.environ.get("INTERLOCK_ENVIRONMENT", "dev"),
    pipelines_path=HERE / "pipelines",
    calendars_path=HERE / "calendars",
    slack_channel_id=os.environ.get("INTERLOCK_SLACK_CHANNEL", ""),
    sns_alarm_topic_arn=os.environ.get("INTERLOCK_ALARM_TOPIC"),
    tags={"application": "interlock"},
)
app.synth()
