"""Glue, CloudWatch Logs and Lambda as far as the runtime's own tests need them, behind one ``client``."""

from __future__ import annotations

from typing import Any

from tests.fakes.calls import Calls


class FakeJobClients:
    """Starts Glue runs that stay RUNNING until told otherwise, and Lambda functions that answer at once.

    ``jobs`` are the runs started, with their arguments. ``fail_start`` and ``fail_poll`` are
    raised by the next call of that kind, again and again until cleared.
    """

    def __init__(self, calls: Calls) -> None:
        self.jobs: list[dict[str, Any]] = []
        self.invocations: list[dict[str, Any]] = []
        self.function_error: str | None = None
        self.fail_start: Exception | None = None
        self.fail_poll: Exception | None = None
        self._calls = calls

    def __call__(self, service: str, *, read_timeout: float = 0) -> FakeJobClients:
        return self

    def end(self, state: str, *, message: str | None = None) -> None:
        """The latest Glue run ends in this state."""
        self.jobs[-1] |= {"JobRunState": state, "ErrorMessage": message or ""}

    def start_job_run(self, **request: Any) -> dict[str, Any]:
        if self.fail_start is not None:
            raise self.fail_start
        self._calls.before("glue:StartJobRun")
        run_id = f"jr_{len(self.jobs)}"
        self.jobs.append({"Id": run_id, "JobRunState": "RUNNING", **request})
        self._calls.after("glue:StartJobRun")
        return {"JobRunId": run_id}

    def get_job_run(self, **request: Any) -> dict[str, Any]:
        if self.fail_poll is not None:
            raise self.fail_poll
        self._calls.after("glue:GetJobRun")
        return {"JobRun": next(job for job in self.jobs if job["Id"] == request["RunId"])}

    def get_job_runs(self, **_: Any) -> dict[str, Any]:
        self._calls.after("glue:GetJobRuns")
        return {"JobRuns": list(reversed(self.jobs))}

    def filter_log_events(self, **_: Any) -> dict[str, Any]:
        self._calls.after("logs:FilterLogEvents")
        return {"events": []}

    def invoke(self, **request: Any) -> dict[str, Any]:
        self._calls.before("lambda:Invoke")
        self.invocations.append(request)
        self._calls.after("lambda:Invoke")
        answer: dict[str, Any] = {"ResponseMetadata": {"RequestId": f"inv_{len(self.invocations)}"}}
        if self.function_error is not None:
            answer |= {"FunctionError": "Unhandled", "Payload": _Body(self.function_error)}
        return answer


class _Body:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, _: int) -> bytes:
        return self._text.encode()
