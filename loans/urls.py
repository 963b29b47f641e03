"""Routes of lending that are no noun's."""

from django.urls import path

from loans.api.calculator import QuoteView, SimulationView

urlpatterns = [
    path("api/v1/quotes/", QuoteView.as_view(), name="api-quotes"),
    path("api/v1/simulations/", SimulationView.as_view(), name="api-simulations"),
]
