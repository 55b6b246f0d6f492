"""The two listeners for Granian: `identity.rsgi:public` and `identity.rsgi:admin`."""

from identity import wsgi
from identity.serving.bridge import Bridge

public = Bridge(wsgi.public)
admin = Bridge(wsgi.admin)
