"""The two listeners for Granian: `identity.rsgi:public` and `identity.rsgi:admin`."""

from identity import wsgi
from identity.serving.bridge import Bridge

THREADS = 8  # per worker; with few of them a handful of sign-ins starves everybody else

public = Bridge(wsgi.public, THREADS)
admin = Bridge(wsgi.admin, THREADS)
