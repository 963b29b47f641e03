"""Found the demo branch with its people, products, customers and loans; does nothing where it stands already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from branch.domain.actor import system_actor
from branch.models import Office, User
from branch.queries.business_date import business_date
from customers.models import Lead
from desk.demo import clusters, people, policies, promotion, standing, stories
from postloan.services.close import close_business_day
from postloan.services.sweep import run_sweep_inline

#: The branch has been open this many days when the trial begins.
DAYS_OPEN = 10


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo people exist in demo mode only.")
        if User.objects.filter(is_demo=True).exists():
            if not Lead.objects.filter(name=stories.ON_THE_WAY[-1][0].name).exists():
                raise CommandError("The demo branch was left half founded; bin/demo --reset starts over.")
            self.stdout.write("The demo branch stands already.")
            return
        if Office.objects.exists():
            raise CommandError("This database belongs to a real branch.")
        people.found_branch(timezone.localdate() - timedelta(days=DAYS_OPEN))
        policies.publish_policies()
        stories.tell_running(_close_day, DAYS_OPEN)
        clusters.tell_cluster()
        promotion.tell_promotion()
        standing.tell_standing()
        stories.tell_on_the_way()
        self.stdout.write(f"The demo branch stands; its business date is {business_date()}.")


def _close_day() -> None:
    run = close_business_day(actor=system_actor(), date=business_date())
    run_sweep_inline(run.pk)
