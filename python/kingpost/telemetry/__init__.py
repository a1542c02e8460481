"""Telemetry: spans and durations for OpenTelemetry, by its API alone; what collects them is the program's choice."""

from kingpost.telemetry.plugin import Telemetry

__all__ = ["Telemetry"]
