"""Errors that end a request. Only identity/http/problems.py renders them.

Problem
├── BadRequest 400
│   ├── Malformed
│   ├── SessionAlreadyAvailable
│   ├── ReturnToForbidden
│   └── IdentityDisabled
├── Unauthorized 401
│   ├── SessionInactive
│   └── SessionAAL1Required
├── Forbidden 403
│   ├── CSRFViolation
│   ├── SessionAAL2Required
│   └── SessionRefreshRequired
├── NotFound 404
├── Conflict 409
├── InternalError 500
│   └── InvalidConfiguration
├── UpstreamError 502
├── ServiceUnavailable 503
└── UpstreamTimeout 504

Those of a flow are in flows/errors.py. An `id` is public API: it never changes its meaning (contract: flows.md 1.2).
"""

from http import HTTPStatus
from typing import Any, ClassVar


class Problem(Exception):
    """The request cannot go on.

    `reason` says to a person why, in this case; `details` is for programs; `extra` are members beside `error` in the
    answer, such as `redirect_browser_to`.
    """

    id: ClassVar[str] = ""
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    title: ClassVar[str] = "Something went wrong on our side."
    code: ClassVar[HTTPStatus | None] = None  # in the body, where it is not the status of the answer
    browser_goes_to: str = ""  # where a plain browser is sent instead of the error page

    def __init__(self, reason: str = "", *, details: dict[str, Any] | None = None, extra: dict[str, Any] | None = None) -> None:
        super().__init__(reason or self.title)
        self.reason, self.details, self.extra = reason, details or {}, extra or {}

    def as_dict(self) -> dict[str, Any]:
        """The value of `error` in the answer; empty members are left out (contract: flows.md 1.1)."""
        members = {
            "id": self.id,
            "code": int(self.code or self.status),
            "status": (self.code or self.status).phrase,
            "reason": self.reason,
            "details": self.details,
            "message": self.title,
        }
        return {name: value for name, value in members.items() if value}


class BadRequest(Problem):
    status, title = HTTPStatus.BAD_REQUEST, "The request was malformed or contained invalid values."


class Malformed(BadRequest):
    """The request is not what is documented; `message` says where, there is no `reason`."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.title = what  # type: ignore[misc]  # each case has its own


class SessionAlreadyAvailable(BadRequest):
    """Somebody is signed in already, and did not ask to sign in again."""

    id, title = "session_already_available", "You are signed in already."


class ReturnToForbidden(BadRequest):
    id, title = "self_service_flow_return_to_forbidden", "That address is not one to return to."


class IdentityDisabled(BadRequest):
    id, title = "identity_disabled", "This account is disabled."


class Unauthorized(Problem):
    status, title = HTTPStatus.UNAUTHORIZED, "You need to be signed in."


class SessionInactive(Unauthorized):
    id, title = "session_inactive", "No active session was found in this request."


class SessionAAL1Required(Unauthorized):
    """A second factor was asked for, but nobody has signed in with a first one."""

    id, title = "session_aal1_required", "Sign in first, then use your second factor."


class Forbidden(Problem):
    status, title = HTTPStatus.FORBIDDEN, "That is not allowed."


class CSRFViolation(Forbidden):
    """The form did not come from a page that this browser was given."""

    id, title = "security_csrf_violation", "For your security, this request was refused. Reload the page and try again."


class SessionAAL2Required(Forbidden):
    """The session is good, but its identity has a second factor that was not used yet."""

    id, title = "session_aal2_required", "Use your second factor to go on."


class SessionRefreshRequired(Forbidden):
    """The change is sensitive, and the person proved who they are too long ago."""

    id, title = "session_refresh_required", "Please confirm that it is you to go on."


class NotFound(Problem):
    status, title = HTTPStatus.NOT_FOUND, "Nothing was found here."


class Conflict(Problem):
    status, title = HTTPStatus.CONFLICT, "The resource conflicts with one that exists already."


class InternalError(Problem):
    status, title = HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side."


class InvalidConfiguration(InternalError):
    """The operator's configuration does not allow this; the person can do nothing about it."""

    id, title = "invalid_configuration", "The server is not configured for this."


class UpstreamError(Problem):
    id, status, title = "upstream_error", HTTPStatus.BAD_GATEWAY, "A server that we depend on did not answer as it should."


class ServiceUnavailable(Problem):
    """Too much to do right now; `Retry-After` says in how many seconds to try again."""

    status, title = HTTPStatus.SERVICE_UNAVAILABLE, "The server is busy. Please try again in a moment."
    retry_after: ClassVar[int] = 2


class UpstreamTimeout(Problem):
    status, title = HTTPStatus.GATEWAY_TIMEOUT, "A server that we depend on took too long to answer."
