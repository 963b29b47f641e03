"""Published cases our answers differ from on purpose: file/name and reason. A case leaves when it agrees."""

_CORRECTED = "their instalment is corrected towards the last one; ours is the rounded payment, the last takes the rest"
_NEW_YEAR = "their night from 31 December to 1 January counts as a day of the new year; ISDA counts it to the old one"

DISAGREEMENTS = {
    "fineract_emi_features/actual/actual 12 %": _NEW_YEAR,
    "fineract_emi_features/actual/actual 9.4822 %": _NEW_YEAR,
    "fineract_emi_features/actual/actual 10.65 %, corrected instalment": _CORRECTED,
    "fineract_emi_features/30/360 12.3 %, corrected instalment": _CORRECTED,
    "fineract_emi_features/actual/365 every 15 days": _CORRECTED,
    "fineract_schedule_generator/paid out in the middle of the first month": (
        "their first stub is a part of a thirty-day month by actual days (17 of 31); a stub under 30/360 is bond basis"
    ),
    "fineract_cumulative/equal principal in hundreds, interest too": (
        "their currency goes by hundreds, interest too; our instalment rounding leaves interest to the cent"
    ),
    "numpy_financial/2,500.00 at 8.24 % in 12": "theirs is carried unrounded from row to row, ours is rounded in each",
    "fineract_emi_calculator/two more drawdowns on one day in a short first period": (
        "their first stub is a part of a thirty-day month by actual days (27 of 31); a stub under 30/360 is bond basis"
    ),
    "fineract_recalculation/actual/actual, drawdown of three quarters on 7 January": _CORRECTED,
    "fineract_recalculation/actual/actual, two drawdowns, half paid back in advance": _CORRECTED,
    "fineract_recalculation/eleven days' pause at 27 %": _CORRECTED,
}
