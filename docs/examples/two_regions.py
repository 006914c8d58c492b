"""The same environment in two regions of one account."""

from interlock_tf import App, InterlockStack

app = App()
for region in ("eu-central-1", "us-east-1"):
    InterlockStack(
        app,
        f"interlock-{region}",
        region=region,
        environment="prod",
        name_suffix=region,
        pipelines_path="pipelines",
        calendars_path="calendars",
        deletion_protection=True,
    )
app.synth()
