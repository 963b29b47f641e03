import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from branch.checks import refuse_demo_people  # noqa: E402 - models exist only now

refuse_demo_people()
