"""Measuring: what assistants say, judged and counted, with intervals. Knows engines and answers; draws nothing."""

from .checking import (
    CheckEvent,
    CheckOptions,
    CheckStarted,
    CheckStep,
    PanelChecked,
    StrengthLowered,
    check,
)
from .intervals import Interval
from .judging import Sensitivity
from .plurality import PanelReport, Separation, Speed, VoiceReport

__all__ = [
    "CheckEvent",
    "CheckOptions",
    "CheckStarted",
    "CheckStep",
    "Interval",
    "PanelChecked",
    "PanelReport",
    "Sensitivity",
    "Separation",
    "Speed",
    "StrengthLowered",
    "VoiceReport",
    "check",
]
