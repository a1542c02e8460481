from __future__ import annotations

from hypothesis import HealthCheck, settings

# A machine that is busy with other things fails nobody's example; under CI this is Hypothesis' own rule.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
