"""The program's routes and one more: the shell with one trivial query, which pages are measured against."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from branch.models import Office


@login_required
def shell(request: HttpRequest) -> HttpResponse:
    return render(request, "base.html", {"count": Office.objects.count()})


urlpatterns = [path("bench-shell/", shell), path("", include("config.urls"))]
