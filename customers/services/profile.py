"""What is known of a customer, checked and brought into its one form before it is stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.identity import IdentityError, parse_resident_id, parse_uscc
from branch.domain.refusals import InvalidInput
from branch.fields import lookup_digest
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from customers.domain.duplicates import phone_key
from customers.domain.names import bigrams, core_key, name_key, spelling
from customers.models import Customer, Lead

_PHONE = re.compile(r"\+?[0-9]{7,15}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{8,32}", re.ASCII)
_MOST_SALES = Decimal(10) ** 14
#: Kinds that are registered, and so have a unified social credit code.
REGISTERED = frozenset({Customer.Kind.COMPANY, Customer.Kind.SOLE_TRADER})
_ONCE = {"customer_uscc_once": "uscc", "farm_household_once": "identity_number"}


class Profile(TypedDict, total=False):
    """The values a customer is made of or changed by. Amounts in yuan."""

    kind: str
    name: str
    uscc: str | None
    contact_name: str
    identity_number: str
    phone: str
    address: str
    repayment_account: str
    industry: str
    established_date: date | None
    employees: int | None
    annual_sales: Decimal | None


class Checker:
    """Collects what is wrong, by field, so that a person sees all of it at once."""

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = {}

    def refuse(self, field: str, message: str) -> None:
        self.errors.setdefault(field, []).append(message)

    def done(self) -> None:
        if self.errors:
            raise InvalidInput(fields=self.errors)


def apply_profile(customer: Customer, values: Profile, *, actor: Actor) -> None:
    """Set the checked values on `customer` (not saved). Raises InvalidInput naming every wrong field."""
    checker, former = Checker(), compared_by(customer)
    for field, value in values.items():
        if field not in Profile.__annotations__:
            raise TypeError(f"a customer has no {field}")
        cleaned = _CLEANERS[field](checker, field, value)
        setattr(customer, field, cleaned)
    _check_whole(checker, customer, set(values))
    checker.done()
    keep_keys(customer, former)
    _check_unique(customer, actor)


def compared_by(thing: Customer | Lead) -> tuple[str | None, ...]:
    """What a comparison with the watchlists rests on: while it is the same, so is what is found."""
    names = (thing.name_key, thing.name_core, thing.name_spelling, thing.contact_key, thing.contact_spelling)
    return thing.uscc, thing.identity_digest, *names


def keep_keys(thing: Customer | Lead, former: tuple[str | None, ...]) -> None:
    """Set what a firm is found and compared by, from its name, phone and identity number.

    Where it is compared by something else than before (`former`), it is not compared yet: who does not do it in the
    same transaction leaves it to the night.
    """
    thing.name_bigrams = bigrams(thing.name)
    # Written out, a name of rare signs may be longer than the columns; nobody is called so.
    thing.name_key, thing.name_spelling = name_key(thing.name)[:120], spelling(thing.name)[:600]
    thing.name_core = core_key(thing.name)[:120]
    thing.contact_key, thing.contact_spelling = name_key(thing.contact_name)[:60], spelling(thing.contact_name)[:360]
    thing.identity_digest = lookup_digest(thing.identity_number) if thing.identity_number else ""
    thing.phone_digest = lookup_digest(phone_key(thing.phone)) if thing.phone else ""
    if compared_by(thing) != former:
        thing.screened_at = None


def _check_whole(checker: Checker, customer: Customer, given: set[str]) -> None:
    if customer.kind in REGISTERED and not customer.uscc and not checker.errors.get("uscc"):
        checker.refuse("uscc", _("A company or sole trader has a unified social credit code."))
    if customer.kind == Customer.Kind.FARM_HOUSEHOLD and "uscc" in given and not customer.uscc:
        customer.uscc = None
    if customer.kind not in REGISTERED and not customer.identity_number and not checker.errors.get("identity_number"):
        checker.refuse("identity_number", _("Enter the resident identity number."))


def _check_unique(customer: Customer, actor: Actor) -> None:
    others = Customer.objects.exclude(pk=customer.pk)
    if customer.uscc and (other := others.filter(uscc=customer.uscc).first()):
        raise _taken("uscc", other, actor)
    if customer.kind == Customer.Kind.FARM_HOUSEHOLD:
        same = others.filter(kind=customer.kind, identity_digest=customer.identity_digest)
        if other := same.first():
            raise _taken("identity_number", other, actor)


def _taken(field: str, other: Customer | None, actor: Actor) -> InvalidInput:
    """The refusal of a number that is on file; who has it is said only to those who may see that file."""
    if other is not None and visible(Customer, actor).filter(pk=other.pk).exists():
        return InvalidInput(
            fields={field: [_("This number belongs to %(name)s, which is on file.") % {"name": other.name}]}
        )
    return InvalidInput(
        fields={field: [_("This number is on another file already. Ask your branch manager about it.")]}
    )


@contextmanager
def taken_numbers_refused() -> Iterator[None]:
    """Turn the database's own refusal of a number taken meanwhile into the same answer as the check's."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        field = _ONCE.get(getattr(diagnosis, "constraint_name", None) or "")
        if field is None:
            raise
        message = _("This number is on another file already. Ask your branch manager about it.")
        raise InvalidInput(fields={field: [message]}) from None


# --- one cleaner per field -----------------------------------------------------------------------------------


def _text(value: Any) -> str:
    return " ".join(unicodedata.normalize("NFKC", str(value or "")).split())


def _required_text(checker: Checker, field: str, value: Any) -> str:
    text = _text(value)
    if not text:
        checker.refuse(field, _("This field is required."))
    longest = Customer._meta.get_field(field).max_length  # type: ignore[union-attr]
    if longest and len(text) > longest:
        checker.refuse(field, _("At most %(count)d characters.") % {"count": longest})
    return text


def _optional_text(checker: Checker, field: str, value: Any) -> str:
    return _required_text(checker, field, value) if _text(value) else ""


def _kind(checker: Checker, field: str, value: Any) -> str:
    if value not in Customer.Kind.values:
        checker.refuse(field, _("Choose one of the kinds."))
    return str(value)


def _number(parse: Callable[[str], str]) -> Callable[[Checker, str, Any], str]:
    def clean(checker: Checker, field: str, value: Any) -> str:
        if not value:
            return ""
        try:
            return parse(str(value))
        except IdentityError as error:
            checker.refuse(field, identity_message(error.code))
            return ""

    return clean


def clean_uscc(checker: Checker, field: str, value: Any) -> str | None:
    return _number(parse_uscc)(checker, field, value) or None


clean_identity = _number(parse_resident_id)


def identity_message(code: str) -> str:
    """What is wrong with an identity number, in words."""
    return {
        "length": _("It has 18 characters."),
        "format": _("It has letters or digits that do not belong there."),
        "check_digit": _("The check digit does not fit: a character is wrong."),
        "component": _("No such place or date of birth."),
    }.get(code, _("This field is required."))


def _digits(pattern: re.Pattern[str], message: Callable[[], str]) -> Callable[[Checker, str, Any], str]:
    def clean(checker: Checker, field: str, value: Any) -> str:
        digits = re.sub(r"[\s-]", "", _text(value))
        if digits and not pattern.fullmatch(digits):
            checker.refuse(field, message())
        return digits

    return clean


def phone_message() -> str:
    return _("A phone number has 7 to 15 digits.")


clean_phone = _digits(_PHONE, phone_message)


def _past_date(checker: Checker, field: str, value: Any) -> date | None:
    if value is not None and value > business_date():
        checker.refuse(field, _("This date lies in the future."))
    return value


def _count(checker: Checker, field: str, value: Any) -> int | None:
    if value is not None and not 0 <= value <= 10_000_000:
        checker.refuse(field, _("Enter a number of people."))
    return value


def _amount(checker: Checker, field: str, value: Any) -> Decimal | None:
    if value is None:
        return None
    if not 0 <= value < _MOST_SALES or value != round(value, 2):
        checker.refuse(field, _("Enter an amount in yuan with at most two decimal places."))
        return None
    return round(value, 2)


_CLEANERS: dict[str, Callable[[Checker, str, Any], Any]] = {
    "kind": _kind,
    "name": _required_text,
    "uscc": clean_uscc,
    "contact_name": _required_text,
    "identity_number": clean_identity,
    "phone": clean_phone,
    "address": _optional_text,
    "repayment_account": _digits(_ACCOUNT, lambda: _("An account number has 8 to 32 digits.")),
    "industry": _optional_text,
    "established_date": _past_date,
    "employees": _count,
    "annual_sales": _amount,
}
