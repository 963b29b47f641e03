"""Five-category class and provision: the worst of the rules that fire, each with what it rests on.

Rules after the 2023 measures on risk classification of financial assets (银保监会、人民银行令〔2023〕1号);
figures the measures do not fix are bank parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from branch.domain.calendar import add_months
from branch.domain.money import round_money


class AssetClass(StrEnum):
    NORMAL = "normal"
    SPECIAL_MENTION = "special_mention"
    SUBSTANDARD = "substandard"
    DOUBTFUL = "doubtful"
    LOSS = "loss"

    @property
    def severity(self) -> int:
        """0 for normal to 4 for loss."""
        return _SEVERITY[self]

    @property
    def is_non_performing(self) -> bool:
        return self.severity >= _SEVERITY[AssetClass.SUBSTANDARD]


_SEVERITY = {asset_class: severity for severity, asset_class in enumerate(AssetClass)}


def _published_rates() -> Mapping[AssetClass, Decimal]:
    rates = ("0.01", "0.02", "0.25", "0.50", "1.00")
    return {asset_class: Decimal(rate) for asset_class, rate in zip(AssetClass, rates, strict=True)}


@dataclass(frozen=True, slots=True)
class ClassParameters:
    """Bank parameters. Day limits are exceeded, not reached: 91 days past due is above 90.

    `technical_delay_days` applies only to a delay marked technical or operational.
    """

    special_mention_above_days: int = 0
    substandard_above_days: int = 90
    doubtful_above_days: int = 270
    loss_above_days: int = 360
    technical_delay_days: int = 7
    contagion_share: Decimal = Decimal("0.10")
    observation_months: int = 12
    observation_instalments: int = 2
    proving_months: int = 6
    proving_instalments: int = 2
    provision_rates: Mapping[AssetClass, Decimal] = field(default_factory=_published_rates)


DEFAULT_PARAMETERS = ClassParameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFacts:
    """What is known of one loan on the day. Shares are fractions of the debtor's debt at this bank."""

    days_past_due: int
    delay_is_technical: bool = False
    is_retail: bool = False
    non_performing_share: Decimal = Decimal(0)
    funds_misused: bool = False
    repays_old_loan: bool = False
    is_qualifying_renewal: bool = False
    restructured_date: date | None = None
    instalments_since_restructuring: int = 0
    judged_class: AssetClass | None = None
    previous_class: AssetClass = AssetClass.NORMAL
    arrears_cleared_date: date | None = None
    instalments_since_cleared: int = 0
    upgrade_approved: bool = False


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """A rule that fired: the class it asks for at least, and the facts it saw."""

    rule: str
    asset_class: AssetClass
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Classification:
    """The class, the rule that decided it (none when everything is in order) and all rules that fired."""

    asset_class: AssetClass
    rule: str
    outcomes: tuple[RuleOutcome, ...]
    provision_rate: Decimal


def classify(facts: ClassFacts, *, as_of: date, parameters: ClassParameters = DEFAULT_PARAMETERS) -> Classification:
    """The worst class any rule asks for; among equals the first rule in the list names it."""
    fired = tuple(outcome for rule in _RULES if (outcome := rule(facts, as_of, parameters)) is not None)
    worst = max(fired, key=lambda outcome: outcome.asset_class.severity, default=None)
    asset_class = worst.asset_class if worst else AssetClass.NORMAL
    rule = worst.rule if worst else "none"
    return Classification(asset_class, rule, fired, parameters.provision_rates[asset_class])


def provision(balance: Decimal, rate: Decimal) -> Decimal:
    """Provision on an outstanding principal."""
    return round_money(balance * rate)


def _days_past_due(facts: ClassFacts, as_of: date, parameters: ClassParameters) -> RuleOutcome | None:
    days = facts.days_past_due
    if facts.delay_is_technical and days <= parameters.technical_delay_days:
        return None
    limits = (
        (parameters.loss_above_days, AssetClass.LOSS),
        (parameters.doubtful_above_days, AssetClass.DOUBTFUL),
        (parameters.substandard_above_days, AssetClass.SUBSTANDARD),
        (parameters.special_mention_above_days, AssetClass.SPECIAL_MENTION),
    )
    for limit, asset_class in limits:
        if days > limit:
            return RuleOutcome("days_past_due", asset_class, {"days_past_due": str(days), "above_days": str(limit)})
    return None


def _contagion(facts: ClassFacts, as_of: date, parameters: ClassParameters) -> RuleOutcome | None:
    if facts.is_retail or facts.non_performing_share <= parameters.contagion_share:
        return None
    evidence = {
        "non_performing_share": str(facts.non_performing_share),
        "above_share": str(parameters.contagion_share),
    }
    return RuleOutcome("contagion", AssetClass.SUBSTANDARD, evidence)


def _misuse(facts: ClassFacts, as_of: date, parameters: ClassParameters) -> RuleOutcome | None:
    if not facts.funds_misused:
        return None
    return RuleOutcome("misuse", AssetClass.SPECIAL_MENTION, {"funds_misused": "yes"})


def _new_for_old(facts: ClassFacts, as_of: date, parameters: ClassParameters) -> RuleOutcome | None:
    if not facts.repays_old_loan or facts.is_qualifying_renewal:
        return None
    return RuleOutcome("new_for_old", AssetClass.SPECIAL_MENTION, {"is_qualifying_renewal": "no"})


def _restructured(facts: ClassFacts, as_of: date, parameters: ClassParameters) -> RuleOutcome | None:
    """Special mention at least, until a year and two instalments have both passed since restructuring."""
    if facts.restructured_date is None:
        return None
    observed_until = add_months(facts.restructured_date, parameters.observation_months)
    paid = facts.instalments_since_restructuring
    if as_of >= observed_until and paid >= parameters.observation_instalments:
        return None
    evidence = {"observed_until": observed_until.isoformat(), "instalments_paid": str(paid)}
    return RuleOutcome("restructured", AssetClass.SPECIAL_MENTION, evidence)


def _judgement(facts: ClassFacts, as_of: date, parameters: ClassParameters) -> RuleOutcome | None:
    """A person may judge a loan worse than the rules do, never better (the worst rule wins)."""
    if facts.judged_class in (None, AssetClass.NORMAL):
        return None
    return RuleOutcome("judgement", facts.judged_class, {"judged_class": facts.judged_class.value})


def _proving(facts: ClassFacts, as_of: date, parameters: ClassParameters) -> RuleOutcome | None:
    """Non-performing until arrears are cleared, the proving time (the longer of two instalments and six
    months) has passed, and someone approved the way back."""
    if not facts.previous_class.is_non_performing:
        return None
    cleared = facts.arrears_cleared_date
    proven = (
        cleared is not None
        and facts.days_past_due == 0
        and as_of >= add_months(cleared, parameters.proving_months)
        and facts.instalments_since_cleared >= parameters.proving_instalments
    )
    if proven and facts.upgrade_approved:
        return None
    evidence = {
        "previous_class": facts.previous_class.value,
        "arrears_cleared_date": cleared.isoformat() if cleared else "",
        "instalments_paid": str(facts.instalments_since_cleared),
        "proving_time_passed": "yes" if proven else "no",
        "upgrade_approved": "yes" if facts.upgrade_approved else "no",
    }
    return RuleOutcome("proving", AssetClass.SUBSTANDARD, evidence)


_Rule = Callable[[ClassFacts, date, ClassParameters], RuleOutcome | None]
_RULES: Sequence[_Rule] = (
    _days_past_due,
    _contagion,
    _misuse,
    _new_for_old,
    _restructured,
    _judgement,
    _proving,
)
