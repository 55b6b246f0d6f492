"""Storing a new address only once its owner has proved it (contract: actions.md 3.6)."""

from actions.base import Action, Run, register
from flows.errors import AwaitsProof


@register
class VerifyNewAddress(Action):
    """Send a code to a new address; the change waits until the code comes back."""

    name = "verify_new_address"

    def phases(self, config: dict[str, object], flow: str) -> frozenset[str]:
        return frozenset(("interrupt",))

    def interrupt(self, run: Run) -> None:
        """Raises AwaitsProof; the settings flow keeps the change. Addresses that disappear want no proof."""
        before, after = run.context.previous, run.context.identity
        assert before is not None
        assert after is not None
        known = {row.key for row in before.verifiable}
        if new := [row for row in after.verifiable if row.key not in known]:
            raise AwaitsProof(new)
