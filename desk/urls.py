"""The roof's own pages: my day, the dashboard, search."""

from django.conf import settings
from django.urls import path

from desk.views.dashboard import dashboard, rows
from desk.views.my_day import my_day
from desk.views.promotion import funnel, funnel_rows
from desk.views.search import search
from desk.views.styleguide import styleguide

app_name = "desk"

urlpatterns = [
    path("", my_day, name="my-day"),
    path("dashboard/", dashboard, name="dashboard"),
    path("dashboard/<slug:code>/", rows, name="dashboard-rows"),
    path("funnel/", funnel, name="funnel"),
    path("funnel/<slug:code>/", funnel_rows, name="funnel-rows"),
    path("search/", search, name="search"),
]
if settings.MODE in ("demo", "test"):
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))
