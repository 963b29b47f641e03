"""Finds a Python that is new enough. Written for old Pythons too, so that they get as far as the message."""

import os
import shutil
import sys

OLDEST = (3, 11)
NAMES = ["python3.%d" % minor for minor in range(14, OLDEST[1] - 1, -1)]


def require() -> None:
    """Go on under Python 3.11 or newer: this one, or another on the PATH; else exit with a message."""
    if sys.version_info >= OLDEST:
        return
    newer = next(filter(None, map(shutil.which, NAMES)), None)
    if newer:
        os.execv(newer, [newer, *sys.argv])
    found = "%d.%d" % sys.version_info[:2]
    sys.exit(
        "Xiaowei needs Python 3.11 or newer; %s is Python %s. Install one and run this again." % (sys.executable, found)
    )
