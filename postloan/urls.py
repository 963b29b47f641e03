"""Routes of the post-loan part that are no noun's."""

from django.urls import path

from postloan.api import CloseDayView

urlpatterns = [
    path("api/v1/business-days/<str:day>/close/", CloseDayView.as_view(), name="api-close-day"),
]
