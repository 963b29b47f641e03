"""Applications up to the decision: drafted, saved as typed, submitted, investigated, withdrawn."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any, TypedDict, Unpack

from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, Unmet
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.services.outbox import publish
from branch.services.transition import change, create, require_open, transition
from branch.services.use_case import use_case
from branch.words import listed
from customers.models import Customer
from customers.services.profile import Checker
from customers.services.relations import hold_links
from customers.services.retention import hold_open
from customers.services.screening import Moment, refuse_if_listed
from loans.domain.terms import MOST_INSTALMENTS
from loans.models import Application, ProductVersion
from loans.models.product import FrequencyUnit, GuaranteeMode, RepaymentMethod
from loans.queries.applications import defaults_for, missing_facts
from loans.queries.products import active_version
from loans.queries.renewals import require_conditions
from loans.queries.terms import plan_rows
from loans.services import investigations
from loans.services.cluster_room import require_cluster_room
from loans.services.exposure import hold_group, require_room_to_promise
from loans.services.numbers import next_number
from loans.services.pricing import price_application, problems_of, without_rows
from loans.services.values import put

MANAGER = frozenset({Role.ACCOUNT_MANAGER})


class Terms(TypedDict, total=False):
    """What is asked for. Amounts in yuan; `product_id` takes the product's version on sale.

    Graces count instalments; `due_day` is a day of the month, None for the day the money goes out; an agreed plan is
    `[{"due_date", "principal"}]` and says how many instalments there are.
    """

    product_id: int
    amount: Decimal
    instalments: int
    frequency_unit: str
    frequency_every: int
    repayment_method: str
    guarantee_mode: str
    principal_grace: int
    interest_grace: int
    due_day: int | None
    plan: list[dict[str, str]]
    purpose: str
    stated_annual_sales: Decimal | None


@use_case("draft_application")
def draft_application(*, actor: Actor, customer_id: int, **terms: Unpack[Terms]) -> Application:
    """A new draft for an own customer, filled in with what the bank knows; `terms` go over that.

    Raises NotFound for a customer the actor does not see, PermissionRefused for somebody else's,
    Unmet when no product is on sale.
    """
    return draft_file(actor, customer_id, terms)


def draft_file(actor: Actor, customer_id: int, terms: Terms, **facts: Any) -> Application:
    """The draft itself, inside a use case; `facts` are what its caller knows of it besides."""
    customer = visible(Customer, actor).select_related("office").filter(pk=customer_id).first()
    if customer is None:
        raise NotFound(_("There is no such record."))
    if customer.owner_id != actor.user_id:
        raise PermissionRefused(_("Only the customer's account manager files an application."), event="draft")
    hold_open(customer)
    # A loan goes on where it was booked; what is new begins with the file that stays.
    if "renews" not in facts:
        require_open(customer)
    product_id = terms.pop("product_id", None)
    known = defaults_for(customer, _on_sale(product_id) if product_id is not None else None)
    if not known:
        raise Unmet(_("No product is on sale."))
    application = Application(customer=customer, office=customer.office, owner_id=actor.user_id, **(known | facts))
    application.stated_annual_sales = customer.annual_sales
    _set_terms(application, terms)
    application.quote = _quote_or_nothing(application)
    application.number = next_number("XW", business_date().year)
    return create(application, actor=actor, roles=MANAGER, event="draft")


@use_case("update_application")
def update_application(
    *, actor: Actor, application_id: int, expected_version: int | None = None, **terms: Unpack[Terms]
) -> Application:
    """Change a draft by what was typed and price it anew. Raises InvalidInput for what can't be kept.

    What the product does not allow is kept and shown; submitting refuses it.
    """
    with change(
        Application,
        application_id,
        "update",
        actor=actor,
        roles=MANAGER,
        states=("draft",),
        expected_version=expected_version,
    ) as application:
        _set_terms(application, terms)
        application.quote = _quote_or_nothing(application)
    return application


@use_case("submit_application")
def submit_application(*, actor: Actor, application_id: int, expected_version: int | None = None) -> Application:
    """Hand the file in. Raises InvalidInput for terms the product does not allow, Unmet for missing facts.

    Also Unmet with the figures where it would take the borrower or its group above a limit.
    """
    hold_links()
    with transition(
        Application, application_id, "submit", actor=actor, expected_version=expected_version
    ) as application:
        if problems := problems_of(application):
            raise InvalidInput(fields=problems)
        if missing := missing_facts(application):
            labels = listed(fact.label for fact in missing)
            raise Unmet(
                _("Still missing: %(facts)s.") % {"facts": labels}, missing=[f"{m.of}.{m.code}" for m in missing]
            )
        application.quote = without_rows(price_application(application))
        require_conditions(application)
        hold_group(application.customer)
        require_cluster_room(application.customer, application.amount, file=application)
        require_room_to_promise(application, application.amount)
        refuse_if_listed(application.customer, Moment.APPLICATION)
        application.submitted_at = timezone.now()
    publish("application.submitted", application_id=application.pk)
    return application


@use_case("start_investigation")
def start_investigation(*, actor: Actor, application_id: int, expected_version: int | None = None) -> Application:
    """Begin looking into a submitted file; `application.investigation` then exists."""
    with transition(
        Application, application_id, "investigate", actor=actor, expected_version=expected_version
    ) as application:
        investigations.open_investigation(actor=actor, application=application)
    return application


@use_case("resume_application")
def resume_application(*, actor: Actor, application_id: int, expected_version: int | None = None) -> Application:
    """Take up a returned file: its investigation opens again and needs both signatures anew."""
    with transition(
        Application, application_id, "resume", actor=actor, expected_version=expected_version
    ) as application:
        investigations.reopen_investigation(actor=actor, investigation_id=application.investigation.pk)
    return application


@use_case("withdraw_application")
def withdraw_application(
    *, actor: Actor, application_id: int, reason: str, expected_version: int | None = None
) -> Application:
    """The customer no longer wants it. A file in review is withdrawn through approvals, which cancels the review."""
    if not reason.strip():
        raise InvalidInput(fields={"reason": [_("Say why.")]})
    with transition(
        Application,
        application_id,
        "withdraw",
        actor=actor,
        reason=reason.strip(),
        expected_version=expected_version,
    ) as application:
        application.outcome_reason = reason.strip()
    publish("application.withdrawn", application_id=application.pk)
    return application


# --- inside --------------------------------------------------------------------------------------------------


def _quote_or_nothing(application: Application) -> dict[str, Any]:
    """The quote of a draft, or nothing while what was typed has no price yet."""
    try:
        return without_rows(price_application(application))
    except (InvalidInput, Unmet):
        return {}


def _set_terms(application: Application, terms: Terms) -> None:
    """Set typed values; raises InvalidInput for every one that could not be kept."""
    checker = Checker()
    for field, value in terms.items():
        if field == "product_id":
            application.product_version = _on_sale(value)
        elif field not in Terms.__annotations__:
            raise TypeError(f"an application has no {field}")
        else:
            put(application, field, value)
    _check_amount(checker, "amount", application.amount, above_zero=True)
    if application.stated_annual_sales is not None:
        _check_amount(checker, "stated_annual_sales", application.stated_annual_sales, above_zero=False)
    _check_count(checker, "instalments", application.instalments, MOST_INSTALMENTS)
    _check_count(checker, "frequency_every", application.frequency_every, 366)
    _check_count(checker, "principal_grace", application.principal_grace, MOST_INSTALMENTS - 1, least=0)
    _check_count(checker, "interest_grace", application.interest_grace, MOST_INSTALMENTS - 1, least=0)
    if application.due_day is not None:
        _check_count(checker, "due_day", application.due_day, 31)
    _check_plan(checker, application)
    for choice_field, choices in (
        ("frequency_unit", FrequencyUnit),
        ("repayment_method", RepaymentMethod),
        ("guarantee_mode", GuaranteeMode),
    ):
        if getattr(application, choice_field) not in choices.values:
            checker.refuse(choice_field, _("Choose one from the list."))
    if len(application.purpose) > 200:
        checker.refuse("purpose", _("At most %(count)d characters.") % {"count": 200})
    checker.done()


def _on_sale(product_id: Any) -> ProductVersion:
    version = active_version(product_id) if isinstance(product_id, int) else None
    if version is None:
        raise InvalidInput(fields={"product_id": [_("Choose a product that is on sale.")]})
    return version


def _is_amount(value: Any) -> bool:
    fits = isinstance(value, Decimal) and value.is_finite() and 0 <= value < Decimal(10) ** 14
    return fits and value == round(value, 2)


def _check_amount(checker: Checker, field: str, value: Any, *, above_zero: bool) -> None:
    if not _is_amount(value) or (above_zero and value == 0):
        checker.refuse(field, _("Enter an amount above zero.") if above_zero else _("Enter an amount in yuan."))


def _check_count(checker: Checker, field: str, value: Any, most: int, least: int = 1) -> None:
    if not isinstance(value, int) or not least <= value <= most:
        message = _("Enter a whole number from %(least)d to %(most)d.")
        checker.refuse(field, message % {"least": least, "most": most})


def _check_plan(checker: Checker, application: Application) -> None:
    """A plan is one row per day, in rising order; where it is the method, it says how many instalments there are."""
    if application.plan == []:
        return
    try:
        rows = plan_rows(application.plan)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        checker.refuse("plan", _("A row is a day and an amount, such as 2026-06-30 50000.00."))
        return
    if len(rows) > MOST_INSTALMENTS:
        checker.refuse("plan", _("Between 1 and %(most)d instalments.") % {"most": MOST_INSTALMENTS})
    elif any(later.due_date <= earlier.due_date for earlier, later in pairwise(rows)):
        checker.refuse("plan", _("The days of the plan must rise."))
    elif not all(_is_amount(row.principal) for row in rows) or not rows[-1].principal:
        checker.refuse("plan", _("The plan takes amounts in yuan, the last one above zero."))
    else:
        application.plan = [{"due_date": row.due_date.isoformat(), "principal": f"{row.principal:.2f}"} for row in rows]
        if application.repayment_method == RepaymentMethod.AGREED_PLAN:
            application.instalments = len(rows)
