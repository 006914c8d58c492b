"""What the registry costs at a cold start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("boto3", "botocore", "urllib3", "subprocess", "ssl", "http.client", "asyncio")


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after ``statement``."""
    program = f"{statement}; import sys; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_the_registry_loads_nothing_heavy_and_no_job_type() -> None:
    loaded = loaded_by("import interlock_runtime.jobs.registry")
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.startswith("interlock_runtime.jobs.")} - {
        f"interlock_runtime.jobs.{name}" for name in ("contract", "excerpts", "registry", "templates")
    }


@pytest.mark.parametrize("module", ["glue", "emr", "emr_serverless", "step_function", "aws_lambda"])
def test_a_type_on_aws_loads_no_http(module: str) -> None:
    assert not loaded_by(f"import interlock_runtime.jobs.{module}") & set(HEAVY)


@pytest.mark.parametrize("module", ["http", "airflow", "databricks", "command"])
def test_a_type_beside_aws_loads_no_aws(module: str) -> None:
    assert not loaded_by(f"import interlock_runtime.jobs.{module}") & {"boto3", "botocore", "urllib3"}
