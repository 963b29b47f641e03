"""Every route of the program: the nouns' pages and API from the registry, and what stands beside them."""

from django.apps import apps
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from branch.startup import load_package
from branch.web.api import api_urls
from branch.web.noun import NOUNS
from branch.web.pages import page_urls

for app in ("branch", "customers", "loans", "approvals", "postloan"):
    load_package(f"{apps.get_app_config(app).name}.nouns")

urlpatterns = [
    path("", include("branch.urls")),
    path("", include("desk.urls")),
    path("", include("customers.urls")),
    path("", include("loans.urls")),
    path("", include("postloan.urls")),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="swagger"),
    path("api/v1/", include((api_urls(), "api"))),
    *(route for noun in NOUNS.values() for route in page_urls(noun)),
]

handler400 = "desk.views.errors.bad_request"
handler404 = "desk.views.errors.not_found"
handler403 = "desk.views.errors.forbidden"
handler500 = "desk.views.errors.server_error"
