from postloan.models.reading import IndicatorReading
from postloan.models.sweep import LoanDay, SweepRun, SweepShard
from postloan.models.threshold import ThresholdSet
from postloan.models.warning import CollectionCase, Inspection, Signal, WarningCase

__all__ = [
    "CollectionCase",
    "IndicatorReading",
    "Inspection",
    "LoanDay",
    "Signal",
    "SweepRun",
    "SweepShard",
    "ThresholdSet",
    "WarningCase",
]
