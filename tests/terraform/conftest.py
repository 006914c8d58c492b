"""What the tests that use the real Terraform share."""

from __future__ import annotations

import pytest

from interlock_tf.local.terraform import obstacle


@pytest.fixture(scope="session")
def terraform_usable() -> None:
    """Skip the test, with the reason, where Terraform or its AWS provider cannot be had."""
    if reason := obstacle():
        pytest.skip(f"Terraform cannot be used here: {reason}")
