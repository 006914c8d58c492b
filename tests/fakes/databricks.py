"""The Jobs API 2.1 of Databricks as far as runs go, strict about what it is sent."""

from __future__ import annotations

from typing import Any

from tests.fakes.web_server import Received, Reply, WebServer

_COMMON = {"idempotency_token", "queue"}
_RUN_NOW = _COMMON | {
    "job_id",
    "job_parameters",
    "jar_params",
    "notebook_params",
    "python_params",
    "python_named_params",
    "spark_submit_params",
    "sql_params",
    "dbt_commands",
    "pipeline_params",
    "only",
    "performance_target",
}
_SUBMIT = _COMMON | {
    "run_name",
    "tasks",
    "timeout_seconds",
    "email_notifications",
    "webhook_notifications",
    "notification_settings",
    "git_source",
    "access_control_list",
    "run_as",
    "environments",
    "health",
    "budget_policy_id",
}


class Databricks(WebServer):
    """A workspace with one job, which asks for a bearer token."""

    def __init__(self, *, job_id: int, token: str) -> None:
        super().__init__()
        self._job_id = job_id
        self._token = token
        self._tokens: dict[str, int] = {}
        self.runs: dict[int, dict[str, Any]] = {}
        self.starts: list[dict[str, Any]] = []

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != f"Bearer {self._token}":
            return Reply(403, {"error_code": "PERMISSION_DENIED", "message": "Invalid access token."})
        match received.method, received.path:
            case "POST", "/api/2.1/jobs/run-now":
                return self._run_now(received.json())
            case "POST", "/api/2.1/jobs/runs/submit":
                return self._start(received.json(), _SUBMIT, required="tasks")
            case "GET", "/api/2.1/jobs/runs/get":
                run = self.runs.get(int(received.query["run_id"][0]))
                return Reply(200, run) if run else _problem("INVALID_PARAMETER_VALUE", "Run does not exist.")
        return Reply(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": "No API found"})

    def _run_now(self, body: Any) -> Reply:
        if body.get("job_id") != self._job_id:
            return _problem("INVALID_PARAMETER_VALUE", f"Job {body.get('job_id')} does not exist.")
        parameters = body.get("job_parameters", {})
        if not all(isinstance(value, str) for value in parameters.values()):
            return _problem("MALFORMED_REQUEST", "job_parameters: expected strings")
        return self._start(body, _RUN_NOW, required="job_id")

    def _start(self, body: Any, fields: set[str], *, required: str) -> Reply:
        unknown = set(body) - fields
        if unknown or required not in body:
            return _problem("MALFORMED_REQUEST", f"unknown fields {sorted(unknown)}, or no {required}")
        token = body.get("idempotency_token", "")
        if len(token) > 64:
            return _problem("INVALID_PARAMETER_VALUE", "idempotency_token has more than 64 characters")
        if token not in self._tokens:
            run_id = 455644833000000 + len(self.runs)
            self._tokens[token] = run_id
            self.starts.append(body)
            self.runs[run_id] = {
                "job_id": self._job_id,
                "run_id": run_id,
                "state": {"life_cycle_state": "PENDING", "state_message": "In run queue"},
                "tasks": [],
            }
        return Reply(200, {"run_id": self._tokens[token]})


def _problem(code: str, message: str) -> Reply:
    return Reply(400, {"error_code": code, "message": message})
