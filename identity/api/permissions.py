"""Who may use the operator's API."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from identity import config
from identity.config import Config
from identity.errors import Unauthorized
from identity.sessions import authentication

if TYPE_CHECKING:
    from rest_framework.views import APIView  # its module reads the settings, which name this one


@config.per_config
def _keys(c: Config) -> tuple[bytes, ...]:
    return tuple(key.encode() for key in c.get("serve.admin.api_keys") or ())


class HasAPIKey(BasePermission):
    """Sends one of `serve.admin.api_keys` as a bearer token; everybody may while none is configured and the listener is local."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        keys = _keys()
        if not keys:
            return True
        sent = (authentication.bearer_of(request._request) or "").encode()
        if sum(hmac.compare_digest(key, sent) for key in keys) == 0:  # every key is compared, so that time tells nothing
            raise Unauthorized("Send an API key as a bearer token.")
        return True
