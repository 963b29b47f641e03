"""Every bank parameter: its type, default, unit and where the default comes from.

Grades of a default: S official text, W secondary source, K common knowledge of the trade.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from branch.domain.roles import Role


class OutOfRange(ValueError):
    """A value of the right type that the parameter does not take."""


@dataclass(frozen=True)
class Parameter:
    """`lowest` and `highest` bound numbers; `choices` are what the members of a list may be."""

    code: str
    kind: type
    default: Any
    meaning: str
    grade: str = "K"
    lowest: int | Decimal | None = None
    highest: int | Decimal | None = None
    choices: tuple[str, ...] = ()

    def parse(self, raw: Any) -> Any:
        """The typed value of what is stored or typed. Raises ValueError on anything else."""
        if self.kind is bool:
            if raw in (True, "true", "True"):
                return True
            if raw in (False, "false", "False"):
                return False
            raise ValueError(f"{self.code} takes true or false")
        if self.kind is Decimal:
            try:
                value = Decimal(str(raw))
            except ArithmeticError as error:
                raise ValueError(f"{self.code} takes a number") from error
            if not value.is_finite():
                raise ValueError(f"{self.code} takes a finite number")
            return value
        if self.kind is list:
            return [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else list(raw)
        try:
            return self.kind(raw)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.code} takes a value of type {self.kind.__name__}") from error

    def check(self, raw: Any) -> Any:
        """The typed value of what somebody wants to set. Raises OutOfRange, or ValueError for the wrong type."""
        value = self.parse(raw)
        if self.kind is int and (isinstance(raw, bool) or str(raw).strip() != str(value)):
            raise ValueError(f"{self.code} takes a whole number")
        below = self.lowest is not None and value < self.lowest
        above = self.highest is not None and value > self.highest
        if below or above or (self.choices and not set(value) <= set(self.choices)):
            raise OutOfRange(self.code)
        return value

    def store(self, value: Any) -> Any:
        """What JSON can keep: decimals as text."""
        return str(value) if self.kind is Decimal else value


_ALL = (
    Parameter(
        "mfa.required_roles",
        list,
        ["administrator"],
        "Roles that must sign in with a second factor",
        choices=tuple(role.value for role in Role if role is not Role.SYSTEM),
    ),
    Parameter("offer.validity_days", int, 90, "Days an offer stands after approval", "W", lowest=1, highest=365),
    Parameter(
        "deviation.tolerance_green",
        Decimal,
        Decimal("0.05"),
        "Deviation of stated sales still in order",
        lowest=0,
        highest=1,
    ),
    Parameter(
        "deviation.tolerance_amber",
        Decimal,
        Decimal("0.20"),
        "Deviation of stated sales to be explained",
        lowest=0,
        highest=1,
    ),
    Parameter(
        "arrears.technical_delay_days",
        int,
        0,
        "Days past due that may stay in class normal (at most 7)",
        lowest=0,
        highest=7,
    ),
    Parameter(
        "penalty.overdue_uplift",
        Decimal,
        Decimal("0.50"),
        "Penalty rate over the contract rate when overdue",
        "S",
        lowest=0,
        highest=1,
    ),
    Parameter("penalty.compounds", bool, True, "Penalty interest also runs on overdue interest"),
    Parameter("class.special_mention_above_days", int, 0, "Days past due above which a loan is special mention", "S"),
    Parameter("class.substandard_above_days", int, 90, "Days past due above which a loan is substandard", "S"),
    Parameter("class.doubtful_above_days", int, 270, "Days past due above which a loan is doubtful", "S"),
    Parameter("class.loss_above_days", int, 360, "Days past due above which a loan is a loss", "S"),
    Parameter(
        "class.contagion_share",
        Decimal,
        Decimal("0.10"),
        "Non-performing share of a debtor that takes all with it",
        "S",
    ),
    Parameter("class.observation_months", int, 12, "Months a restructured loan is observed at least", "S"),
    Parameter("class.observation_instalments", int, 2, "Instalments a restructured loan must pay meanwhile", "S"),
    Parameter("debit.from_hour", int, 9, "Hour of the day from which the debit file of the day is made by itself"),
    Parameter("renewal.most_times", int, 2, "How often one debt may be renewed without repaying principal"),
    Parameter("class.proving_months", int, 6, "Months without arrears before a loan leaves non-performing", "K"),
    Parameter("class.proving_instalments", int, 2, "Instalments paid meanwhile, whichever takes longer", "K"),
    Parameter("provision.normal", Decimal, Decimal("0.01"), "Provision on loans in class normal", "W"),
    Parameter("provision.special_mention", Decimal, Decimal("0.02"), "Provision on loans under special mention", "W"),
    Parameter("provision.substandard", Decimal, Decimal("0.25"), "Provision on substandard loans", "W"),
    Parameter("provision.doubtful", Decimal, Decimal("0.50"), "Provision on doubtful loans", "W"),
    Parameter("provision.loss", Decimal, Decimal("1.00"), "Provision on loans that are a loss", "W"),
    Parameter("collection.opens_at_days_past_due", int, 30, "Days past due from which collection opens by itself"),
    Parameter("inspection.short_term_months", int, 6, "Terms up to this many months are looked at more often", "W"),
    Parameter("inspection.short_interval_months", int, 1, "Months between inspections: short term or open case", "W"),
    Parameter("inspection.long_interval_months", int, 3, "Months between inspections otherwise", "W"),
    Parameter(
        "inspection.first_within_days",
        int,
        15,
        "Days after release until the first inspection is due",
        "W",
        lowest=1,
        highest=90,
    ),
    Parameter("case.clock_working_hours", int, 16, "Working hours a warning case may take", lowest=1, highest=2000),
    Parameter("review.clock_working_hours", int, 8, "Working hours a review stage may take", lowest=1, highest=2000),
    Parameter(
        "investigation.clock_working_hours", int, 24, "Working hours an investigation may take", lowest=1, highest=2000
    ),
    Parameter(
        "upload.limit_bytes", int, 10 * 1024 * 1024, "Largest file accepted", lowest=1024, highest=10 * 1024 * 1024
    ),
    Parameter(
        "import.limit_bytes",
        int,
        200 * 1024 * 1024,
        "Largest file of outside facts, packed or unpacked",
        lowest=1024 * 1024,
        highest=2 * 1024 * 1024 * 1024,
    ),
    Parameter("import.chunk_rows", int, 50_000, "Rows of an import merged at once", lowest=100, highest=200_000),
    Parameter(
        "screening.name_score",
        int,
        88,
        "Likeness of two names, of 100, from which a name is a hit of a watchlist",
        lowest=86,
        highest=100,
    ),
    Parameter(
        "lead.alike_from",
        int,
        85,
        "Likeness of two names, of 100, from which a lead may be one already on file",
        lowest=85,
        highest=100,
    ),
    Parameter(
        "chain.advance_share",
        Decimal,
        Decimal("0.80"),
        "Share of open receivables on a cluster's anchor that is financed",
        lowest=0,
        highest=1,
    ),
    Parameter(
        "chain.order_share",
        Decimal,
        Decimal("0.30"),
        "Share of open orders of a cluster's anchor that is financed",
        lowest=0,
        highest=1,
    ),
    Parameter(
        "chain.late_days",
        int,
        30,
        "Days overdue above which a receivable on a cluster's anchor is not financed",
        lowest=0,
        highest=365,
    ),
    Parameter("prescreen.chunk_members", int, 50, "Members pre-screened at once", lowest=1, highest=5000),
    Parameter(
        "cluster.weight_anchor_standing",
        int,
        30,
        "Weight in a cluster's score of the anchor's standing",
        lowest=0,
        highest=100,
    ),
    Parameter(
        "cluster.weight_anchor_years",
        int,
        10,
        "Weight in a cluster's score of the anchor's years in business",
        lowest=0,
        highest=100,
    ),
    Parameter(
        "cluster.weight_members", int, 10, "Weight in a cluster's score of the number of members", lowest=0, highest=100
    ),
    Parameter(
        "cluster.weight_churn", int, 15, "Weight in a cluster's score of members that left", lowest=0, highest=100
    ),
    Parameter(
        "cluster.weight_defaults",
        int,
        25,
        "Weight in a cluster's score of members that defaulted",
        lowest=0,
        highest=100,
    ),
    Parameter(
        "cluster.weight_years_running",
        int,
        10,
        "Weight in a cluster's score of the years it has run",
        lowest=0,
        highest=100,
    ),
    Parameter(
        "owners.beneficial_share",
        Decimal,
        Decimal("0.25"),
        "Share from which a person behind a firm is a beneficial owner",
        "S",
        lowest=Decimal("0.01"),
        highest=1,
    ),
    Parameter(
        "group.control_share",
        Decimal,
        Decimal("0.50"),
        "Share above which a shareholder controls",
        "S",
        lowest=Decimal("0.01"),
        highest=1,
    ),
    Parameter("guarantee.long_chain", int, 3, "Guarantees in a row from which a chain is shown", lowest=2, highest=8),
    Parameter(
        "exposure.firm_limit",
        Decimal,
        Decimal(10000000),
        "Most one firm or sole trader may owe and draw, yuan",
        "S",
        lowest=0,
    ),
    Parameter(
        "exposure.household_limit",
        Decimal,
        Decimal(5000000),
        "Most one farm household may owe and draw, yuan",
        "S",
        lowest=0,
    ),
    Parameter(
        "exposure.group_limit",
        Decimal,
        Decimal(20000000),
        "Most connected borrowers together may owe and draw, yuan",
        lowest=0,
    ),
    # PIPL (个人信息保护法) art. 19 and 47: no longer than needed; how long that is, is the bank's own to say.
    Parameter("retention.lost_lead_days", int, 180, "Days a lost lead is kept after it was lost", lowest=0),
    Parameter("retention.duplicate_lead_days", int, 30, "Days a lead that was a duplicate is kept", lowest=0),
    Parameter("retention.idle_lead_days", int, 365, "Days after which a lead nobody works on is given up", lowest=30),
    Parameter("retention.never_borrowed_days", int, 730, "Days a customer who never applied is kept", lowest=0),
    Parameter(
        "retention.refused_application_days",
        int,
        1095,
        "Days a customer whose applications came to nothing is kept after the last one",
        lowest=0,
    ),
    # 反洗钱法 (revised 2024, in force 2025-01-01) art. 34: at least ten years after the relationship or transaction.
    Parameter(
        "retention.identification_years",
        int,
        10,
        "Years who a borrower is and what was paid is kept after the last dealing",
        "S",
        lowest=10,
        highest=99,
    ),
    # 征信业管理条例 art. 16 sets five years for credit bureaus; the bank takes the same for its own notes.
    Parameter("retention.bad_credit_years", int, 5, "Years arrears of more than 90 days are kept after their end", "W"),
    Parameter(
        "retention.list_file_days", int, 180, "Days the file of a list of leads or members is kept once it is through"
    ),
    Parameter("retention.answer_days", int, 30, "Days an answer to a call is kept for its repetition", lowest=1),
    Parameter(
        "retention.customers_at_night",
        bool,
        False,
        "Customers whose time is over are erased at night unasked",
    ),
    Parameter("lpr.split_years", int, 1, "Terms up to this many years price off the 1Y LPR, longer ones off 5Y+"),
    Parameter("sweep.shards", int, 4, "Parts of the portfolio worked on side by side at night", lowest=1, highest=256),
    Parameter(
        "sweep.lease_seconds",
        int,
        60,
        "After how long a shard of a lost worker is taken up by another",
        lowest=5,
        highest=3600,
    ),
    Parameter(
        "payout.ask_after_seconds",
        int,
        15,
        "After how long an unanswered payout is asked about",
        lowest=1,
        highest=3600,
    ),
    Parameter(
        "entrusted.personal_above",
        Decimal,
        Decimal(500000),
        "Drawdown of a personal business loan above which the bank pays the seller itself, yuan",
        "S",
        lowest=0,
    ),
    Parameter(
        "entrusted.working_capital_above",
        Decimal,
        Decimal(10000000),
        "Payment of a company's working capital above which the bank pays the seller itself, yuan",
        "S",
        lowest=0,
    ),
    Parameter(
        "prepayment.modes",
        list,
        ["shorten_term", "lower_instalment", "next_instalment", "last_instalment", "spread_evenly"],
        "What early principal may do to the schedule",
        choices=("shorten_term", "lower_instalment", "next_instalment", "last_instalment", "spread_evenly"),
    ),
    Parameter(
        "servicing.backdating_days", int, 90, "How many days back something may be booked", lowest=1, highest=3660
    ),
    Parameter(
        "waiver.accountant_limit", Decimal, Decimal(500), "Most a second accountant may waive at once, yuan", lowest=0
    ),
    Parameter(
        "waiver.branch_limit", Decimal, Decimal(50000), "Most a branch manager may waive at once, yuan", lowest=0
    ),
    Parameter(
        "write_off.classes",
        list,
        ["loss"],
        "Classes from which a loan may be written off",
        choices=("substandard", "doubtful", "loss"),
    ),
    Parameter("grade.partly_points", Decimal, Decimal(50), "Points of 100 a fact earns that is met partly"),
    Parameter("grade.weight_character", Decimal, Decimal(40), "Weight of the character grade"),
    Parameter("grade.weight_product", Decimal, Decimal(35), "Weight of the product grade"),
    Parameter("grade.weight_collateral", Decimal, Decimal(25), "Weight of the collateral grade"),
    Parameter("grade.letter_a", Decimal, Decimal(80), "Lowest score of risk grade A"),
    Parameter("grade.letter_b", Decimal, Decimal(65), "Lowest score of risk grade B"),
    Parameter("grade.letter_c", Decimal, Decimal(50), "Lowest score of risk grade C; below it is D"),
    Parameter(
        "documents.expiry_notice_days",
        int,
        30,
        "Days before its last day from which a document counts as about to expire",
        lowest=1,
        highest=365,
    ),
    Parameter(
        "documents.required_kinds",
        list,
        ["licence", "identity"],
        "Documents a customer must have valid; farm households have no business licence",
        choices=("licence", "identity"),
    ),
    Parameter("office.opens_hour", int, 9, "Hour at which working time begins", lowest=0, highest=23),
    Parameter("office.closes_hour", int, 17, "Hour at which working time ends", lowest=1, highest=24),
)

PARAMETERS: dict[str, Parameter] = {parameter.code: parameter for parameter in _ALL}
