"""The web container's health check: does this process answer? (Whether the others do is /readyz/'s business.)"""

import os
import urllib.request

host = os.environ["ALLOWED_HOSTS"].split(",")[0].lstrip(".*")
request = urllib.request.Request("http://127.0.0.1:8000/healthz/", headers={"Host": host or "localhost"})
with urllib.request.urlopen(request, timeout=5):
    pass
