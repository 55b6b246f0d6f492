"""What is asked most is answered before the framework's request stack, which costs more than the answer.

A shortcut answers with a 200 or not at all. What it does not know it leaves to the view of the same path, which answers alike (but for
`Vary`, which says nothing of an answer that is not stored); tests hold the two against each other.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import DEFAULT_DB_ALIAS, Error, connections

from identity import config
from identity.http import metrics

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Answer = tuple[list[tuple[str, str]], bytes]  # headers and body of a 200
Shortcut = Callable[[Environ], Answer | None]  # None: the view has to look at it

log = logging.getLogger("vestibule.http")


def before(application: Application, shortcuts: Mapping[str, Shortcut]) -> Application:
    """Put *shortcuts*, by their paths, before *application*: for GET, and not for pages of other origins."""

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        shortcut = shortcuts.get(path)
        if shortcut is None or environ["REQUEST_METHOD"] != "GET" or "HTTP_ORIGIN" in environ:
            return application(environ, start_response)
        began = time.perf_counter()
        answer = _answer(shortcut, environ)
        if answer is None:
            return application(environ, start_response)
        metrics.count("GET", 200, path, time.perf_counter() - began)
        start_response("200 OK", answer[0])
        return [answer[1]]

    return serve


def _answer(shortcut: Shortcut, environ: Environ) -> Answer | None:
    config.refresh()
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        return shortcut(environ)
    except (Error, sqlite3.Error):
        connection.close()  # the view opens a new one, or says that there is none
        return None
    except SuspiciousOperation:  # the view meets it again, and the framework says what it is
        return None
    except Exception:  # a bug; the view may do without what is broken here
        log.exception("a short way failed, and the view was asked instead")
        return None
    finally:
        connection.health_check_done = False  # type: ignore[attr-defined]  # as after the framework's: whether it stands is looked at anew
