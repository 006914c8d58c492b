"""Settings of the whole test suite."""

from __future__ import annotations

from hypothesis import settings

# Machines that run tests are shared, so that the time of one example says nothing.
settings.register_profile("interlock", deadline=None)
settings.load_profile("interlock")
