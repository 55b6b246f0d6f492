"""The two listeners as WSGI applications: `identity.wsgi:public` and `identity.wsgi:admin`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from identity import config
from identity.http import listener, shortcuts
from identity.http.shortcuts import Application, Environ, Shortcut

django: Application = get_wsgi_application()

config.verify()  # WSGI servers run no system checks


def _by(name: str, application: Application) -> Application:
    def listen(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ[listener.LISTENER] = name
        return application(environ, start_response)

    return listen


def _shortcuts() -> dict[str, Shortcut]:
    """Needs the models, which `get_wsgi_application` has made known."""
    return {path: shortcut for name in settings.SHORTCUTS for path, shortcut in import_string(name).items()}


public: Application = _by(listener.PUBLIC, shortcuts.before(django, _shortcuts()))
admin: Application = _by(listener.ADMIN, django)
