"""Personal fields survive a change of keys, and the old key can then be dropped."""

from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import InvalidToken
from django.core.management import call_command

from branch.services.key_rotation import encrypted_fields, rotate
from customers.models import Customer
from tests.customers.making import make_customer, resident_id_of


def test_after_the_rotation_the_old_key_is_not_needed(cast, actor, settings):
    settings.FIELD_KEYS = ["old"]
    pks = [make_customer(actor("lin"), number).pk for number in (1, 2, 3)]
    settings.FIELD_KEYS = ["new", "old"]
    newer = make_customer(actor("lin"), 4).pk

    told = StringIO()
    call_command("rotate_field_keys", stdout=told)

    settings.FIELD_KEYS = ["new"]
    kept = {customer.pk: customer for customer in Customer.objects.all()}
    assert [kept[pk].identity_number for pk in (*pks, newer)] == [resident_id_of(n) for n in (1, 2, 3, 4)]
    assert {c.phone for c in kept.values()} == {"13800138000"}
    assert "customers.Customer: 3 of 4 rows written anew" in told.getvalue()
    settings.FIELD_KEYS = ["old"]
    with pytest.raises(InvalidToken):
        Customer.objects.get(pk=pks[0])


def test_it_goes_on_where_it_stopped_and_in_batches(cast, actor, settings):
    settings.FIELD_KEYS = ["old"]
    for number in range(1, 6):
        make_customer(actor("lin"), number)
    settings.FIELD_KEYS = ["new", "old"]
    names = dict(encrypted_fields())[Customer]

    assert rotate(Customer, names, batch=2) == (5, 5)
    assert rotate(Customer, names, batch=2) == (5, 0)
