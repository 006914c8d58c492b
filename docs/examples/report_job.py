"""What a job does that Interlock cannot poll: it reports its own end."""

import time

import boto3


def report(pipeline_id: str, schedule_id: str, date: str, run_id: str, *, error: str | None = None) -> None:
    """Report the end of a job; ``run_id`` is the token that the job was given as ``interlockRun``."""
    row = {
        "PK": f"PIPELINE#{pipeline_id}",
        "SK": f"JOB#{schedule_id}#{date}#{time.time_ns() // 1_000_000}",
        "event": "fail" if error else "success",
        "runId": run_id,
    }
    boto3.resource("dynamodb").Table("dev-interlock-joblog").put_item(Item=row | ({"error": error} if error else {}))
