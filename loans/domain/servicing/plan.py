"""What the open instalments of a loan ask for, from the balance and the interest as they stand now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from branch.domain.money import CENT, round_ratio, round_to_multiple, to_cents
from loans.domain.allocation import DueKind
from loans.domain.servicing.lines import Clock, Line
from loans.domain.terms import FeeOn, RepaymentMethod, ScheduleTerms

INTEREST, PRINCIPAL, FEE = DueKind.INTEREST, DueKind.PRINCIPAL, DueKind.FEE
LEVEL = RepaymentMethod.EQUAL_INSTALMENT
#: Principal falls due at the end alone.
AT_END = frozenset({RepaymentMethod.INTEREST_ONLY, RepaymentMethod.BULLET, RepaymentMethod.PAY_AS_YOU_USE})
#: What of principal falls due when is agreed on, not worked out.
PLANNED = AT_END | {RepaymentMethod.AGREED_PLAN}


@dataclass(slots=True)
class Plan:
    """The instalments of a loan and what they are made from. `part` is the level instalment in cents, or the equal
    part of principal; instalments in `interest_only` pay no principal."""

    terms: ScheduleTerms
    clock: Clock
    lines: list[Line]
    interest_only: set[int] = field(default_factory=set)
    part: int = 0
    #: The equal part of principal before rounding, in cents.
    exact_part: Fraction = Fraction(0)
    #: Paid off: the lines stand as they were paid, until something is drawn again.
    is_settled: bool = False

    def drawn(self) -> list[tuple[date, int]]:
        """What was paid out, and when."""
        first = (self.terms.start_date, to_cents(self.terms.principal))
        return [first, *((day, cents) for day, cents in self.clock.moves if cents > 0)]

    # --- what each open instalment asks for

    def project(self, first: int, stop: int | None = None) -> None:
        """Work out the lines from index `first` on, up to `stop` where given; those before stand as they are."""
        if self.is_settled or first >= len(self.lines):
            return
        flat = self._flat_interest(first) if self.terms.repayment_method is RepaymentMethod.FLAT else None
        opening, carried = self._opening(first), self.lines[first].carried
        deferred = self._deferred_before(first)
        stop = len(self.lines) if stop is None else stop
        for index in range(first, stop):
            line = self.lines[index]
            line.opening, line.carried = opening, carried
            own = carried + (
                self.round(self.clock.interest(line.period, opening)) if flat is None else flat[index - first]
            )
            line.own_interest, carried = self._split_interest(index, own)
            deferred = self._defer(line, deferred)
            before = opening + self.clock.moved_within(line.period)
            regular = self._principal_of(index, before)
            line.asked[PRINCIPAL] = regular + line.ahead + line.on_top
            opening = before - regular
            line.closing = opening
        if stop < len(self.lines):
            self.lines[stop].carried = carried
        else:
            self._ask_fees(first)

    def _ask_fees(self, first: int) -> None:
        """Every instalment has the regular fee, but those that a loan paid early no longer has."""
        asking = [index for index, line in enumerate(self.lines) if line.asked[PRINCIPAL] or line.asked[INTEREST]]
        last, regular = max(asking, default=0), each_fees(self.terms)
        for index in range(first, len(self.lines)):
            line = self.lines[index]
            line.asked[FEE] = line.charged_fees + (regular if index <= last else 0)

    def _opening(self, index: int) -> int:
        if index == 0:
            return self.lines[0].opening
        return self.lines[index - 1].closing

    def running(self, first: int) -> int:
        """Principal that runs now, in the period of the line at index `first`."""
        return self._opening(first) + self.clock.moved_within(self.lines[first].period)

    def _split_interest(self, index: int, own: int) -> tuple[int, int]:
        """What of its interest the line asks for, and what it passes on: a level instalment paid ahead asks for no
        more than its size, and where there is no room left for all of the interest it asks for what is paid of it."""
        line = self.lines[index]
        if not line.ahead or not self.is_level(line) or index == len(self.lines) - 1:
            return own, 0
        if own <= self.part - line.ahead + line.interest_on_top:
            return own, 0
        return line.paid[INTEREST], own - line.paid[INTEREST]

    def is_complete(self, line: Line) -> bool:
        """Whether a level instalment was paid ahead in full."""
        return bool(line.ahead) and self.is_level(line) and line.ahead + line.paid[INTEREST] >= self.part

    def is_level(self, line: Line) -> bool:
        return self.terms.repayment_method is LEVEL and line.number not in self.interest_only

    def _defer(self, line: Line, deferred: int) -> int:
        grace = self.terms.interest_grace
        if line.number <= grace < len(self.lines):
            line.asked[INTEREST] = line.paid[INTEREST]
            return deferred + line.own_interest - line.paid[INTEREST]
        line.deferred = deferred
        line.asked[INTEREST] = line.own_interest + deferred
        return 0

    def _deferred_before(self, first: int) -> int:
        if first == 0 or self.lines[first - 1].number > self.terms.interest_grace:
            return self.lines[first].deferred if first else 0
        return sum(line.own_interest - line.paid[INTEREST] for line in self.lines[:first])

    def _principal_of(self, index: int, balance: int) -> int:
        """Principal the line takes on its day, besides what was paid ahead of it."""
        line = self.lines[index]
        if index == len(self.lines) - 1:
            return balance
        return min(max(self.wanted_principal(line), 0), balance)

    def wanted_principal(self, line: Line) -> int:
        """What the line would take of principal were the balance without end, less what was paid ahead."""
        if line.number in self.interest_only or self.terms.repayment_method in AT_END:
            return 0
        if self.terms.repayment_method is LEVEL:
            return self.part - (line.asked[INTEREST] - line.interest_on_top) - line.ahead
        if self.terms.repayment_method is RepaymentMethod.AGREED_PLAN:
            return self._agreed_principal(line) - line.ahead
        if self.terms.repayment_method is RepaymentMethod.FLAT and self.terms.instalment_rounding != CENT:
            # What is rounded is the whole instalment, interest and all.
            return self._rounded_part(self.exact_part + line.own_interest) - line.own_interest - line.ahead
        return self.part - line.ahead

    def _agreed_principal(self, line: Line) -> int:
        rows = self.terms.plan
        return to_cents(rows[line.number - 1].principal) if line.number <= len(rows) else 0

    def _flat_interest(self, first: int) -> list[int]:
        """Interest on all that was paid out: its total is rounded once, the last instalment takes the rest."""
        clock = Clock(self.clock.day_count, self.clock.rates, self.clock.pauses, moves=self.drawn())
        earlier = [sum(c for day, c in self.drawn() if day < line.start) for line in self.lines[first:]]
        exact = [clock.interest(line.period, base) for line, base in zip(self.lines[first:], earlier, strict=True)]
        left = self.round(sum(exact, Fraction(0)))
        rounded = []
        for amount in exact[:-1]:
            rounded.append(min(self.round(amount), left))
            left -= rounded[-1]
        return [*rounded, left]

    # --- the size of an instalment

    def resize(self, first: int) -> None:
        """Find the level instalment, or the equal part of principal, over the lines from index `first` on."""
        paying = [
            line for line in self.lines[first:] if line.number not in self.interest_only and not self.is_complete(line)
        ]
        if self.is_settled or not paying or self.terms.repayment_method in PLANNED:
            return
        if self.terms.repayment_method is LEVEL:
            self.part = self._level(first)
            return
        balance = self._opening(first) + sum(
            self.clock.moved_within(line.period) + line.ahead for line in self.lines[first:]
        )
        self.exact_part = Fraction(balance, len(paying))
        self.part = self._rounded_part(self.exact_part)

    def _level(self, first: int) -> int:
        """The payment that brings the balance to zero under unrounded interest.

        Balance and payment enter every period linearly: the last balance is `fixed` − payment × `payments`.
        """
        lines, skipped = self.lines[first:], 0
        while True:
            fixed, payments, first_interest = Fraction(self._opening(first)), Fraction(0), None
            carried, met = lines[0].carried, 0
            for line in lines:
                at_zero = carried + self.clock.interest(line.period, 0)
                growth = self.clock.interest(line.period, 1) + carried - at_zero
                interest, carried = at_zero + growth * fixed, 0
                fixed += self.clock.moved_within(line.period)
                if self.is_complete(line):
                    carried = self.round(interest) - line.paid[INTEREST]
                    continue
                met += self.is_level(line)
                if self.is_level(line) and met > skipped:
                    first_interest = interest if first_interest is None else first_interest
                    fixed += interest + line.ahead - line.interest_on_top
                    payments = payments * (1 + growth) + 1
            level = fixed / payments
            if level >= (first_interest or 0) or met - skipped <= 1:
                return self._rounded_part(level)
            # Interest alone exceeds the instalment: that line pays just its interest.
            skipped += 1

    def _rounded_part(self, cents: Fraction) -> int:
        rounding = self.terms.instalment_rounding
        return to_cents(round_to_multiple(cents / 100, rounding, self.terms.rounding))

    def round(self, cents: Fraction) -> int:
        """Whole cents, in the terms' rounding."""
        return round_ratio(cents.numerator, cents.denominator, self.terms.rounding)


def each_fees(terms: ScheduleTerms) -> int:
    return sum(to_cents(fee.amount) for fee in terms.fees if fee.on is FeeOn.EACH)
