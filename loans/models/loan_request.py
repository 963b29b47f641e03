from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, state_field, state_is_known
from customers.models import Customer
from loans.domain.machines import LOAN_REQUEST
from loans.models.application import Application
from loans.models.loan import KindWord, Loan, LoanTransaction


class LoanRequest(Stateful):
    """What somebody asks to be booked on a loan, until somebody else books or refuses it.

    `expected` is what it would have moved when it was asked for: {"before", "after"} as a Movement keeps them.
    """

    MACHINE = LOAN_REQUEST

    state = state_field(LOAN_REQUEST)
    number = models.CharField(_("number"), max_length=20, unique=True)
    loan = models.ForeignKey(Loan, models.PROTECT, related_name="requests")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=20, choices=KindWord.choices)
    value_date = models.DateField(_("value date"))
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2, null=True)
    parameters = models.JSONField(_("terms"), default=dict)
    reverses = models.ForeignKey(LoanTransaction, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(_("reason"))
    expected = models.JSONField(_("what it moves"), default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decision_reason = models.TextField(_("reason of the decision"), default="")
    transaction = models.OneToOneField(LoanTransaction, models.PROTECT, null=True, related_name="request")

    class Meta:
        verbose_name = _("servicing request")
        verbose_name_plural = _("servicing requests")
        constraints = [
            state_is_known(LOAN_REQUEST),
            models.CheckConstraint(
                condition=~Q(decided_by=models.F("requested_by")) | Q(state="withdrawn"), name="request_by_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(transaction__isnull=False), name="confirmed_request_is_booked"
            ),
        ]

    def __str__(self) -> str:
        return self.number
