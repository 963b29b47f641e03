"""Routes of lending that are no noun's."""

from django.urls import path

from loans.api.calculator import QuoteView, SimulationView
from loans.api.guarantees import GuaranteeCirclesView
from loans.api.ledger import GlFileView, StatementFileView, StatementView
from loans.pages import calculator, guarantees, ledger

urlpatterns = [
    path("api/v1/quotes/", QuoteView.as_view(), name="api-quotes"),
    path("api/v1/simulations/", SimulationView.as_view(), name="api-simulations"),
    path("api/v1/loans/<int:pk>/statement/", StatementView.as_view(), name="api-loan-statement"),
    path("api/v1/loans/<int:pk>/statement.<str:form>", StatementFileView.as_view(), name="api-loan-statement-file"),
    path("api/v1/ledger-days/<int:pk>/file/", GlFileView.as_view(), name="api-ledger-day-file"),
    path("api/v1/guarantee-circles/", GuaranteeCirclesView.as_view(), name="api-guarantee-circles"),
    path("guarantee-circles/", guarantees.rings_page, name="guarantee-circles"),
    path("guarantee-circles/export.<str:form>", guarantees.rings_file, name="guarantee-circles-file"),
    path("calculator/", calculator.calculator_page, name="calculator"),
    path("calculator/row/", calculator.event_row, name="calculator-event"),
    path("calculator/plan.<str:kind>", calculator.plan_file, name="calculator-plan"),
    path("loans/<int:pk>/statement/", ledger.statement_page, name="loan-statement"),
    path("loans/<int:pk>/statement.<str:form>", ledger.statement_file, name="loan-statement-file"),
    path("ledger-days/<int:pk>/file.csv", ledger.gl_file_page, name="ledger_day-file"),
]
