"""Routes of customers and outside facts that are no noun's."""

from django.urls import path

from customers.api import ReportView, TotalsView
from customers.pages.referral import poster, qr_code, referral_done, referral_page
from customers.pages.retention import retention_section

urlpatterns = [
    path("r/<str:token>/", referral_page, name="referral"),
    path("r/<str:token>/done/", referral_done, name="referral-done"),
    path("referral-links/<int:pk>/qr.svg", qr_code, name="referral-qr"),
    path("referral-links/<int:pk>/poster/", poster, name="referral-poster"),
    path("customers/<int:pk>/retention/", retention_section, name="customer-retention"),
    path("api/v1/record-imports/<int:pk>/report/", ReportView.as_view(), name="import-report"),
    path("api/v1/record-sources/<int:pk>/totals/", TotalsView.as_view(), name="source-totals"),
]
