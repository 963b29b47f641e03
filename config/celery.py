"""The Celery application: the only way work runs in the background."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("xiaowei")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def refuse_demo_people(**kwargs: Any) -> None:
    from django.core.exceptions import ImproperlyConfigured

    from branch.checks import refuse_demo_people

    try:
        refuse_demo_people()
    except ImproperlyConfigured as error:
        # Celery logs what a signal handler raises and goes on; only an exit stops it.
        raise SystemExit(str(error)) from error
