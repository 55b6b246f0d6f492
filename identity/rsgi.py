"""The two listeners for Granian: `identity.rsgi:public` and `identity.rsgi:admin`."""

import os

from identity.serving import process

process.hold_signals()  # to import all that follows takes a while

from identity import wsgi  # noqa: E402
from identity.serving.bridge import Bridge  # noqa: E402

THREADS = int(os.environ.get("VESTIBULE_THREADS", "8"))

public = Bridge(wsgi.public, THREADS)
admin = Bridge(wsgi.admin, THREADS)
