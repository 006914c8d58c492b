"""A story about a pipeline, as a test of your own: pytest finds it when the file's name begins with test_."""

from interlock_tf.testing import Scenario


def test_gold_revenue_waits_for_this_mornings_refunds() -> None:
    """The job starts once the refunds are there, and a failure that may pass is retried."""
    story = Scenario.of_pipelines("pipelines", calendars="calendars", pipeline="gold-revenue", start="2026-11-24")
    story.at("07:55")  # in New York, the pipeline's time zone
    story.sensor("orders-loaded", status="complete", row_count=48210)
    story.at("08:30")
    story.expect_nothing()  # it waits: the refunds are missing
    story.sensor("refunds-loaded", updatedAt="2026-11-24T13:30:00Z")
    story.advance(minutes=5)
    story.expect("JOB_TRIGGERED")
    story.job_fails(category="TRANSIENT")
    story.advance(minutes=2)
    story.expect("JOB_FAILED")
    story.expect("JOB_TRIGGERED")
    story.advance(hours=1)
    story.expect("JOB_COMPLETED")
    met = story.expect("SLA_MET", critical=True)
    assert met.date == "2026-11-24"
