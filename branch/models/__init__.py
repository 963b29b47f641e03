from branch.models.attachment import Attachment
from branch.models.business_day import BusinessDay, CalendarOverride
from branch.models.duty import FileDuty
from branch.models.event import Event, Seal
from branch.models.idempotency import IdempotentAnswer
from branch.models.office import Office
from branch.models.outbox import Notification, OutboxDelivery, OutboxMessage
from branch.models.parameter import ParameterValue
from branch.models.payment import PaymentInstruction
from branch.models.staff import RoleAssignment, User

__all__ = [
    "Attachment",
    "BusinessDay",
    "CalendarOverride",
    "Event",
    "FileDuty",
    "IdempotentAnswer",
    "Notification",
    "Office",
    "OutboxDelivery",
    "OutboxMessage",
    "ParameterValue",
    "PaymentInstruction",
    "RoleAssignment",
    "Seal",
    "User",
]
