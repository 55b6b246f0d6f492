"""Changing one's traits (contract: methods.md 3)."""

from __future__ import annotations

from typing import ClassVar

from flows.methods.base import SettingsMethod, register
from flows.models import SettingsFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes, traits
from flows.ui.nodes import Node
from identity.errors import BadRequest
from identity.identities import schemas, services
from identity.identities.models import Identity


@register
class Profile(SettingsMethod):
    name = "profile"
    is_privileged: ClassVar[bool] = False  # unless what signs in or receives mail changes, see SettingsKind

    def settings_nodes(self, flow: SettingsFlow, identity: Identity) -> list[Node]:
        schema = schemas.get_readable(identity.schema_id)
        return [
            *traits.fields(schema, self.name, identity.traits),
            nodes.submit("method", self.name, self.name, messages.save_button()),
        ]

    def change(self, submission: Submission, identity: Identity) -> None:
        """Replace the traits by those sent; what was not sent is gone."""
        if not any(name == "traits" or name.startswith("traits.") for name in submission.fields):
            raise BadRequest("No traits were sent.")
        identity.traits = submission.traits(schemas.get_readable(identity.schema_id))
        container.set_traits(submission.flow, identity.traits, replaces=True)
        services.derive(identity)
