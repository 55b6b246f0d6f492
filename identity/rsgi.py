"""The two listeners for Granian: `identity.rsgi:public` and `identity.rsgi:admin`."""

from identity import wsgi
from identity.serving.bridge import ASKING, SUBMITTING, Bridge

public = Bridge(wsgi.public, asking=ASKING, submitting=SUBMITTING)
admin = Bridge(wsgi.admin, asking=ASKING, submitting=SUBMITTING)
