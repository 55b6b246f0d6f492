"""The two listeners as WSGI applications: `identity.wsgi:public` and `identity.wsgi:admin`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")

from django.core.wsgi import get_wsgi_application

from identity import config
from identity.http import listener

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

django: Application = get_wsgi_application()

from identity.api import whoami  # noqa: E402  it needs the models, which the line above made known

config.verify()  # WSGI servers run no system checks


def _by(name: str, application: Application) -> Application:
    def listen(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ[listener.LISTENER] = name
        return application(environ, start_response)

    return listen


public: Application = _by(listener.PUBLIC, whoami.before(django))
admin: Application = _by(listener.ADMIN, django)
