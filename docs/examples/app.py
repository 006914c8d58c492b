"""The smallest app: every pipeline in ``pipelines``, in one stack."""

from interlock_tf import App, InterlockStack

app = App()
InterlockStack(app, "interlock", environment="dev", pipelines_path="pipelines")
app.synth()
