"""Django's middleware for the console, on its paths of the admin listener only."""

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware

from identity.http import listener
from identity.http.scoped import where


def _is_console(request: HttpRequest) -> bool:
    return request.path.startswith("/console") and listener.of(request) == listener.ADMIN


sessions = where(_is_console, SessionMiddleware)
csrf = where(_is_console, CsrfViewMiddleware)
users = where(_is_console, AuthenticationMiddleware)
messages = where(_is_console, MessageMiddleware)
