"""Handing out a session after registration (contract: actions.md 3.1)."""

from actions.base import Action, Run, register


@register
class SessionAction(Action):
    """Sign the new person in."""

    name = "session"

    def phases(self, config: dict[str, object], flow: str) -> frozenset[str]:
        return frozenset(("record",))

    def record(self, run: Run) -> None:
        run.context.hands_out_session = True
