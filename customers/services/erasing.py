"""Overwriting what is personal of customers and leads, in a fixed number of statements, whatever their number.

The callers have locked the rows and established that nothing forbids it. Apps above overwrite their own columns
through `eraser`. Bytes of files go after the commit, through the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db import connection
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat

from branch.domain.actor import Actor
from branch.models import Attachment
from branch.queries.business_date import business_date
from branch.services.attachments import erase_attachments, remove_bytes_after_commit
from branch.services.events import record_all
from branch.services.transition import bulk_transition
from customers.domain.retention import Rule
from customers.models import (
    ClusterMember,
    Consent,
    Customer,
    CustomerMerge,
    ErasureRequest,
    FirmCode,
    ImportFinding,
    Invoice,
    Lead,
    LeadVisit,
    Party,
    PullCall,
    RecordDetail,
    RecordImport,
    Relation,
    ScreeningHit,
)

Ids = Collection[int]
_ERASERS: list[Callable[[Ids], None]] = []
#: What stands in a row's name once it is nobody's: its number.
_NUMBER = Concat(Value("#"), Cast("pk", CharField()))
_KEYS: dict[str, Any] = {
    "name_bigrams": [],
    **dict.fromkeys(("name_key", "name_spelling", "name_core", "contact_key", "contact_spelling"), ""),
    **dict.fromkeys(("contact_name", "identity_number", "identity_digest", "phone", "phone_digest"), ""),
    **dict.fromkeys(("uscc", "restricted_on", "held_on"), None),
    "hold_reason": "",
}
#: Layouts of imports whose rows are people and firms, not figures.
LISTS = (RecordImport.Layout.LEADS, RecordImport.Layout.CLUSTER_MEMBERS)


def eraser(function: Callable[[Ids], None]) -> Callable[[Ids], None]:
    """Register what an app above overwrites of erased customers; it takes their ids."""
    _ERASERS.append(function)
    return function


def erase_customer_rows(
    customers: Sequence[Customer], rules: dict[int, Rule], *, actor: Actor, reason: str = ""
) -> None:
    """Overwrite these customers with the files merged into them, what hangs on them, and the leads they came from."""
    merged = Customer.objects.select_for_update(of=("self",)).select_related("office")
    more = list(merged.filter(merged_into__in=[one.pk for one in customers], erased_on=None).order_by("pk"))
    rules = rules | {one.pk: rules[one.merged_into_id] for one in more if one.merged_into_id}
    customers = [*customers, *more]
    ids = [one.pk for one in customers]
    leads = list(Lead.objects.select_for_update(of=("self",)).filter(customer__in=ids, erased_on=None).order_by("pk"))
    erase_lead_rows(leads, {one.pk: Rule.CONVERTED_LEAD for one in leads}, actor=actor, reason=reason)
    _forget_findings([text for one in customers for text in _naming(one)])
    _record("customer.erase", customers, rules, actor, reason)
    # A company's name is nobody's; what it is found by goes all the same, so that nothing leads back to the file.
    name = Case(When(kind=Customer.Kind.COMPANY, then=F("name")), default=_NUMBER)
    _mark(Customer.objects.filter(pk__in=ids), rules, actor, **_KEYS, name=name, address="", repayment_account="")
    _erase_parties(ids)
    Consent.objects.filter(customer__in=ids).update(given_by_name="")
    Consent.objects.filter(customer__in=ids, withdrawn_on=None).update(withdrawn_on=business_date())
    ClusterMember.objects.filter(customer__in=ids).update(contact_name="", phone="")
    ScreeningHit.objects.filter(customer__in=ids).update(proposal_reason="", decision_reason="")
    RecordDetail.objects.filter(customer__in=ids).update(counterparty="", text="", latitude=None, longitude=None)
    Invoice.objects.filter(customer__in=ids).update(counterparty="")
    PullCall.objects.filter(customer__in=ids).update(rows=None)
    FirmCode.objects.filter(customer__in=ids).delete()
    _erase_imports(RecordImport.objects.filter(customer__in=ids))
    CustomerMerge.objects.filter(Q(kept__in=ids) | Q(merged__in=ids)).update(reason="", moved_uscc="", filled=[])
    _fulfil(Q(customer__in=ids), actor)
    for erase in _ERASERS:
        erase(ids)
    subjects = Attachment.objects.filter(customer_id__in=ids)
    about = Attachment.objects.filter(subject_type="customer", subject_id__in=[str(pk) for pk in ids])
    erase_attachments(subjects | about, business_date())


def erase_lead_rows(leads: Sequence[Lead], rules: dict[int, Rule], *, actor: Actor, reason: str = "") -> None:
    """Overwrite these leads with their visits; one nobody works on any more is lost with that."""
    ids = [one.pk for one in leads]
    if not ids:
        return
    _forget_findings([text for one in leads for text in _naming(one)])
    bulk_transition(Lead.objects.filter(pk__in=ids), "lose", lost_on=business_date(), lost_reason_code="other")
    _record("lead.erase", leads, rules, actor, reason)
    emptied = dict.fromkeys(("district", "note", "next_action", "lost_reason", "consent_text"), "")
    _mark(Lead.objects.filter(pk__in=ids), rules, actor, **_KEYS, **emptied, name=_NUMBER, next_action_date=None)
    visits = LeadVisit.objects.filter(lead__in=ids)
    visit_ids = list(visits.values_list("pk", flat=True))
    visits.update(place="", note="", latitude=None, longitude=None)
    ClusterMember.objects.filter(lead__in=ids).update(contact_name="", phone="")
    ScreeningHit.objects.filter(lead__in=ids).update(proposal_reason="", decision_reason="")
    _fulfil(Q(lead__in=ids), actor)
    files = Q(subject_type="lead", subject_id__in=[str(pk) for pk in ids])
    files |= Q(subject_type="leadvisit", subject_id__in=[str(pk) for pk in visit_ids])
    erase_attachments(Attachment.objects.filter(files), business_date())


def _mark(rows: QuerySet, rules: dict[int, Rule], actor: Actor, **values: Any) -> None:
    by_rule = Case(
        *[
            When(pk__in=[pk for pk, found in rules.items() if found == rule], then=Value(rule.value))
            for rule in sorted(set(rules.values()))
        ],
        default=Value(""),
        output_field=CharField(),
    )
    rows.update(
        **values,
        erased_on=business_date(),
        erased_by_id=actor.user_id,
        erased_rule=by_rule,
        screened_at=None,
        version=F("version") + 1,
    )


def _record(name: str, subjects: Sequence[Any], rules: dict[int, Rule], actor: Actor, reason: str) -> None:
    today = business_date().isoformat()

    def after(one: Any) -> dict[str, Any]:
        return {"erased_rule": rules[one.pk].value, "erased_on": today}

    record_all(name, subjects, actor=actor, after=after, reason=reason)


def _naming(one: Customer | Lead) -> list[str]:
    """What a row of a list that names this one holds: numbers as they are, names of more than one character."""
    texts = (one.name, one.contact_name, one.phone, one.identity_number, one.uscc or "")
    return [text for text in texts if len(text) > 1]


def _forget_findings(texts: list[str]) -> None:
    """Empty what reports on lists of leads and members quote, where it names one of these."""
    if not texts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_importfinding f SET raw = '{}'
            FROM customers_recordimport i
            WHERE i.id = f.record_import_id AND i.layout = ANY(%s) AND f.raw <> '{}'
              AND EXISTS (
                SELECT 1 FROM jsonb_each_text(f.raw) cell WHERE cell.value = ANY(%s)
              )
            """,
            [list(LISTS), texts],
        )


def _erase_imports(imports: QuerySet[RecordImport]) -> None:
    """Files of one customer's figures: their bytes go, and what reports on them quote."""
    names = list(imports.values_list("storage_name", flat=True))
    ImportFinding.objects.filter(record_import__in=imports.values("pk")).update(raw={})
    imports.update(file_name="")
    remove_bytes_after_commit(names)


def _erase_parties(ids: Ids) -> None:
    """Parties that stand for these customers, and people who stand only on their files."""
    nobody = {"identity_number": "", "identity_digest": ""}
    Party.objects.filter(customer__in=ids).update(name="", uscc=None, **nobody)
    on_file = Relation.objects.filter(customer__in=ids)
    ends = set(on_file.values_list("from_party", "to_party"))
    parties = {pk for pair in ends for pk in pair}
    elsewhere = Relation.objects.filter(Q(from_party__in=parties) | Q(to_party__in=parties)).exclude(
        customer__erased_on__isnull=False
    )
    needed = {pk for pair in elsewhere.values_list("from_party", "to_party") for pk in pair}
    people = Party.objects.filter(pk__in=parties - needed, kind=Party.Kind.PERSON, customer=None)
    people.update(name=_NUMBER, **nobody)
    on_file.update(source="", remark="")


def _fulfil(whose: Q, actor: Actor) -> None:
    rows = ErasureRequest.objects.filter(whose)
    # What was noted with an earlier request is about the person too.
    rows.update(note="")
    opened = list(rows.filter(state="open").select_related("office").select_for_update(of=("self",)))
    bulk_transition(rows, "fulfil", settled_on=business_date())
    record_all("erasure_request.fulfil", opened, actor=actor, after=lambda one: {"state": "fulfilled"})
