"""The roof's own pages: my day, search, notifications."""

from django.conf import settings
from django.urls import path

from desk.views.my_day import my_day
from desk.views.search import search
from desk.views.styleguide import styleguide

app_name = "desk"

urlpatterns = [
    path("", my_day, name="my-day"),
    path("search/", search, name="search"),
]
if settings.MODE in ("demo", "test"):
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))
