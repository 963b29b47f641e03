from customers.models.customer import Customer
from customers.models.external_record import ExternalRecord
from customers.models.lead import Lead

__all__ = ["Customer", "ExternalRecord", "Lead"]
