"""Signing out everywhere else (contract: actions.md 3.2)."""

from actions.base import Action, Run, register
from identity.sessions import services as sessions


@register
class RevokeActiveSessions(Action):
    """End every other session of the person."""

    name = "revoke_active_sessions"

    def phases(self, config: dict[str, object], flow: str) -> frozenset[str]:
        return frozenset(("record",))

    def record(self, run: Run) -> None:
        if run.context.identity is not None:
            sessions.revoke_others(run.context.identity, keep=run.context.session)
