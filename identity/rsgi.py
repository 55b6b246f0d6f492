"""The two listeners for Granian: `identity.rsgi:public` and `identity.rsgi:admin`."""

from identity import wsgi
from identity.http import problems
from identity.serving.bridge import Bridge

public = Bridge(wsgi.public, problems.busy)
admin = Bridge(wsgi.admin, problems.busy)
