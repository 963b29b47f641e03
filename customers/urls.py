"""Routes of customers and outside facts that are no noun's."""

from django.urls import path

from customers.api import ReportView, TotalsView

urlpatterns = [
    path("api/v1/record-imports/<int:pk>/report/", ReportView.as_view(), name="import-report"),
    path("api/v1/record-sources/<int:pk>/totals/", TotalsView.as_view(), name="source-totals"),
]
