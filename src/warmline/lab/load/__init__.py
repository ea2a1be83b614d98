"""
Load for functions: when invocations arrive, and what each of their callers saw.
"""

from __future__ import annotations

from .drive import Call, drive, together
from .patterns import Burst, Poisson, Rates, constant, diurnal, ramp, spike
from .recorded import Recording, read_recording
from .report import Report, read_report
from .share import share
from .target import Target
from .text import Callers, Load, parse_load, read_duration

__all__ = [
    "Burst",
    "Call",
    "Callers",
    "Load",
    "Poisson",
    "Rates",
    "Recording",
    "Report",
    "Target",
    "constant",
    "diurnal",
    "drive",
    "parse_load",
    "ramp",
    "read_duration",
    "read_recording",
    "read_report",
    "share",
    "spike",
    "together",
]
