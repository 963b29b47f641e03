"""The Celery application: the only way work runs in the background."""

import os
import sys
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init, task_postrun, task_prerun, worker_init
from django.db import close_old_connections, connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("xiaowei")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Of itself Celery connects to the database anew for every task, which takes longer than most tasks. A worker keeps its
# connection the way a web process does: for CONN_MAX_AGE, and asked whether it still stands before each task.
app.conf.CELERY_DB_REUSE_MAX = sys.maxsize


@task_prerun.connect
@task_postrun.connect
def close_what_is_old(task: Task, **kwargs: Any) -> None:
    if not task.request.is_eager:
        close_old_connections()


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
    # The processes that do the work are forked from this one, and each needs its own.
    connections.close_all()
