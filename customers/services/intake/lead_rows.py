"""A list of leads: each row through the same checks as a lead that is typed in, the good ones kept."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.identity import mask_phone, mask_resident_id
from branch.domain.refusals import InvalidInput
from branch.domain.roles import Role
from branch.queries.actors import actor_for
from customers.domain.layouts import LAYOUTS
from customers.models import ImportFinding, Lead, RecordImport
from customers.queries.duplicates import Match
from customers.queries.load import balance_of, desk_of
from customers.queries.offices import working_office
from customers.services.leads import LeadFacts, OnFile, add_lead, tell_of_new
from customers.services.profile import Checker

#: Leads of one list; what is longer is no list of people somebody will call.
MOST_LEADS = 5000
COLUMNS = LAYOUTS[RecordImport.Layout.LEADS].names
SOURCES = {word: source for source in Lead.Source for word in (source.value, str(source.label).lower())} | {
    "上门": Lead.Source.VISIT,
    "上门走访": Lead.Source.VISIT,
    "推荐": Lead.Source.REFERRAL,
    "转介绍": Lead.Source.REFERRAL,
    "到店": Lead.Source.WALK_IN,
    "线上": Lead.Source.ONLINE,
    "老客户": Lead.Source.EXISTING,
    "平台": Lead.Source.PLATFORM,
}
#: What a refused field is reported as, where it is not simply missing.
CODES = {
    "name": "too_long",
    "contact_name": "too_long",
    "phone": "not_a_phone_number",
    "uscc": "not_a_uscc",
    "identity_number": "not_an_identity",
    "district": "too_long",
    "wanted_amount": "not_an_amount",
    "source": "unknown_source",
}


def merge_leads(cursor: Any, record_import: RecordImport, reach: tuple[str, tuple], today: date) -> Counter[str]:
    """Take what is in `staged` in as leads, row by row. Rows by what became of them.

    Raises InvalidInput where the list is longer than MOST_LEADS: what was taken in before stays.
    """
    cursor.execute(f"SELECT line, problem, {', '.join(COLUMNS)} FROM staged ORDER BY line")
    rows = cursor.fetchall()
    if record_import.rows_done + len(rows) > MOST_LEADS:
        raise InvalidInput(
            _("A list has at most %(most)d leads. Cut the rest into further ones.") % {"most": MOST_LEADS}
        )
    taker = _Taker(record_import)
    for line, problem, *values in rows:
        taker.take(line, problem, dict(zip(COLUMNS, values, strict=True)))
    ImportFinding.objects.bulk_create(taker.findings)
    for owner_id, number in taker.given.items():
        tell_of_new(owner_id, number)
    return taker.counts


class _Taker:
    """Takes the rows of one chunk: whose they become, what came of each."""

    def __init__(self, record_import: RecordImport) -> None:
        self.record_import, self.options = record_import, record_import.options
        owner = record_import.owner
        self.actor: Actor = actor_for(owner) if owner else system_actor()
        self.by_load = self.options.get("by_load") or Role.ACCOUNT_MANAGER not in self.actor.roles
        self.balance = balance_of(record_import.office) if self.by_load else None
        if self.balance is not None and not self.balance:
            raise InvalidInput(_("No account manager works at this office."))
        self.own_desk = None if self.by_load else working_office(self.actor, Role.ACCOUNT_MANAGER)
        self.desks: dict[int, Any] = {}
        self.findings: list[ImportFinding] = []
        self.counts: Counter[str] = Counter()
        self.given: Counter[int] = Counter()

    def take(self, line: int, problem: str, row: dict[str, str]) -> None:
        if problem:
            self.counts["rejected"] += 1
            self._find(line, "", "rejected", problem, {})
            return
        row = {name: value.strip() for name, value in row.items()}
        try:
            lead, matches = add_lead(
                self.actor,
                self.record_import.office,
                self._place,
                self._facts(row),
                origin=self._origin,
                campaign_id=self.options.get("campaign_id"),
            )
        except InvalidInput as refusal:
            self.counts["rejected"] += 1
            known = refusal.matches if isinstance(refusal, OnFile) else []
            for field in refusal.fields:
                code = "known" if known else CODES[field] if row.get(field) else "missing"
                self._find(line, field, "rejected", code, row, known)
            return
        self.counts["accepted"] += 1
        if matches:
            self.counts["maybe_known"] += 1
            self._find(line, "name", "flagged", "maybe_known", row, matches)
        if lead.owner_id != self.actor.user_id:
            self.given[lead.owner_id] += 1

    @property
    def _origin(self) -> str:
        return Lead.Origin.API if self.record_import.origin == RecordImport.Origin.API else Lead.Origin.BATCH

    def _place(self) -> tuple[int, Any]:
        """Whose the next lead becomes, and the office it stands at."""
        if self.balance is None:
            return self.actor.user_id or 0, self.own_desk
        who = self.balance.next()
        if who not in self.desks:
            self.desks[who] = desk_of(who, self.record_import.office)
        return who, self.desks[who]

    def _facts(self, row: dict[str, str]) -> LeadFacts:
        checker = Checker()
        amount: Decimal | None = None
        if typed := row["wanted_amount"].replace(",", "").replace("，", ""):
            try:
                amount = Decimal(typed)
                is_money = amount.is_finite() and amount == round(amount, 2)
            except InvalidOperation:
                # No number, or one with more digits than can be rounded.
                is_money = False
            if not is_money:
                checker.refuse("wanted_amount", "")
        source = SOURCES.get(row["source"].lower()) if row["source"] else self.options.get("source", "")
        if source is None:
            checker.refuse("source", "")
        checker.done()
        texts = ("name", "contact_name", "phone", "uscc", "identity_number", "district", "note")
        facts: Any = {name: row[name] for name in texts} | {"wanted_amount": amount, "source": source}
        return facts

    def _find(
        self, line: int, field: str, weight: str, code: str, row: dict[str, str], matches: list[Match] | None = None
    ) -> None:
        """Numbers of people stand in the report as masks."""
        raw = {name: value for name, value in row.items() if value}
        for name, mask in (("identity_number", mask_resident_id), ("phone", mask_phone)):
            if name in raw:
                raw[name] = mask(raw[name])
        if seen := next((match.thing for match in matches or () if match.is_visible), None):
            raw["known_as"] = f"{seen.name} ({seen._meta.verbose_name} {seen.pk})"
        self.findings.append(
            ImportFinding(record_import=self.record_import, line=line, field=field, weight=weight, code=code, raw=raw)
        )
