"""The report in HTML: one file, offline, without JavaScript. Knows figures and HTML; asks nobody and reads no files."""

from ..measure.results.board_rows import board_rows
from ..measure.results.parts import (
    CLASSES,
    TASKS,
    Axis,
    Cluster,
    ConfusionTable,
    CorrectedRate,
    Ellipse,
    LeaderboardRow,
    Map,
    MapPoint,
    Reference,
    Report,
    SensitivityRow,
)
from .card import card_html
from .page import card_page, render

__all__ = [
    "CLASSES",
    "TASKS",
    "Axis",
    "Cluster",
    "ConfusionTable",
    "CorrectedRate",
    "Ellipse",
    "LeaderboardRow",
    "Map",
    "MapPoint",
    "Reference",
    "Report",
    "SensitivityRow",
    "board_rows",
    "card_html",
    "card_page",
    "render",
]
