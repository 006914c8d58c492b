"""Airflow's stable REST API as far as DAG runs go, strict about what it is sent: v1 and v2."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.web_server import Received, Reply, WebServer

_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]{1,250}")
_FIELDS = {
    "v1": {"dag_run_id", "logical_date", "execution_date", "data_interval_start", "data_interval_end", "conf", "note"},
    "v2": {
        "dag_run_id",
        "logical_date",
        "run_after",
        "data_interval_start",
        "data_interval_end",
        "conf",
        "note",
        "partition_key",
    },
}


class Airflow(WebServer):
    """An Airflow of one API version with one DAG, which asks for a bearer token."""

    def __init__(self, version: str, *, dag_id: str, token: str) -> None:
        super().__init__()
        self._version = version
        self._dag_id = dag_id
        self._token = token
        self.runs: dict[str, dict[str, Any]] = {}

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != f"Bearer {self._token}":
            return self._problem(401, "Unauthorized")
        place = f"/api/{self._version}/dags/"
        dag_id, _, rest = received.path.removeprefix(place).partition("/")
        if not received.path.startswith(place) or received.query:
            return self._problem(404, "Not Found")
        if dag_id != self._dag_id:
            return self._problem(404, f"The DAG with ID: `{dag_id}` was not found")
        if received.method == "POST" and rest == "dagRuns":
            return self._start(received.json())
        if received.method == "GET" and rest.startswith("dagRuns/"):
            run = self.runs.get(rest.removeprefix("dagRuns/"))
            return Reply(200, run) if run else self._problem(404, "The DagRun was not found")
        return self._problem(405, "Method Not Allowed")

    def _start(self, body: Any) -> Reply:
        fault = self._fault(body)
        if fault:
            return self._problem(400 if self._version == "v1" else 422, fault)
        run_id = body["dag_run_id"]
        if run_id in self.runs:
            return self._problem(409, f"DAGRun with DAG ID: '{self._dag_id}' and DAGRun ID: '{run_id}' already exists")
        self.runs[run_id] = {
            "conf": body.get("conf", {}),
            "dag_id": self._dag_id,
            "dag_run_id": run_id,
            "start_date": None,
            "end_date": None,
            "state": "queued",
        }
        return Reply(200, self.runs[run_id])

    def _fault(self, body: Any) -> str | None:
        if not isinstance(body, dict):
            return "the body is not an object"
        unknown = set(body) - _FIELDS[self._version]
        if unknown:
            return f"unknown fields: {sorted(unknown)}"
        if self._version == "v2" and "logical_date" not in body:
            return "logical_date: field required"
        if not isinstance(body.get("conf", {}), dict):
            return "conf is not an object"
        run_id = body.get("dag_run_id")
        if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
            return f"the run id {run_id!r} does not match the allowed pattern"
        return None

    def _problem(self, status: int, text: str) -> Reply:
        if self._version == "v1":
            return Reply(status, {"detail": text, "status": status, "title": text, "type": "about:blank"})
        return Reply(status, {"detail": text})
