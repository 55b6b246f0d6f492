"""What operators and clients can name is in the docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions import overrides
from actions.base import ACTIONS
from actions.builtin import web_hook
from actions.gotemplate.functions import FUNCTIONS
from flows import errors as flow_errors
from flows.methods.oidc.providers.base import PRESETS
from identity import errors
from identity.config.nodes import Items, Node, Section
from identity.config.schema import TREE

DOCS = Path(__file__).resolve().parent.parent / "docs"


def keys(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(node, Section) and node.keys:
        for name, below in node.keys.items():
            yield from keys(below, (*path, name))
    elif isinstance(node, Items) and isinstance(node.of, Section) and "hook" not in node.of.keys:
        yield from keys(node.of, path)
    else:
        yield path


@pytest.mark.parametrize("key", sorted(set(keys(TREE))), ids=".".join)
def test_every_key_of_the_configuration_is_documented(key: tuple[str, ...]) -> None:
    text = (DOCS / "configuration.md").read_text()
    assert re.search(rf"[`.]{re.escape(key[-1])}`", text), f"docs/configuration.md does not name {'.'.join(key)}"


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "actions.md").read_text()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "configuration.md").read_text()


@pytest.mark.parametrize("key", web_hook.faults.KEYS)
def test_every_key_of_a_web_hook_is_documented(key: str) -> None:
    assert re.search(rf"\b{key}\b", (DOCS / "actions.md").read_text())


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_of_a_template_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "mails.md").read_text()


@pytest.mark.parametrize("name", sorted({name for names in overrides.VARIABLES.values() for name in names}))
def test_every_variable_of_a_template_is_documented(name: str) -> None:
    assert f"`.{name}`" in (DOCS / "mails.md").read_text()


@pytest.mark.parametrize(
    "problem", [kind for module in (errors, flow_errors) for kind in vars(module).values() if getattr(kind, "id", "")], ids=str
)
def test_every_error_id_is_documented(problem: type[errors.Problem]) -> None:
    assert f"`{problem.id}`" in (DOCS / "flows.md").read_text()
