"""What a flow says to a person: a numeric id that never changes its meaning, and our words for it (contract: methods.md 12)."""

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Message:
    """One sentence. `at` is the name of the node it belongs to; "" stands above the form. `at` is not sent."""

    id: int
    text: str
    type: str = "error"  # error, info or success
    context: dict[str, Any] = field(default_factory=dict)
    at: str = ""

    def on(self, name: str) -> "Message":
        return replace(self, at=name)

    def as_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = {"id": self.id, "text": self.text, "type": self.type}
        if self.context:
            said["context"] = self.context
        return said
