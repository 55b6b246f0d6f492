"""Imports point towards identity: identity <- flows <- actions, in functions too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {"identity": {"identity"}, "flows": {"identity", "flows"}, "actions": {"identity", "flows", "actions"}}


def modules_of(*packages: str) -> list[Path]:
    return sorted(path.relative_to(ROOT) for package in packages for path in (ROOT / package).rglob("*.py"))


def packages_imported_by(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("module", modules_of(*MAY_IMPORT), ids=str)
def test_imports_point_towards_identity(module: Path) -> None:
    assert set(packages_imported_by(module)) & MAY_IMPORT.keys() <= MAY_IMPORT[module.parts[0]]


@pytest.mark.parametrize("module", modules_of("identity/identities", "identity/credentials", "identity/sessions"), ids=str)
def test_the_domain_does_not_know_its_api(module: Path) -> None:
    imported = {node.module or "" for node in ast.walk(ast.parse((ROOT / module).read_text())) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in imported if name.startswith("identity.api")}


def test_nothing_is_imported_inside_a_function_but_where_django_asks_for_it() -> None:
    hidden = []
    for module in modules_of(*MAY_IMPORT):
        if module.name == "apps.py" or "migrations" in module.parts:
            continue
        for function in ast.walk(ast.parse((ROOT / module).read_text())):
            if isinstance(function, ast.FunctionDef):
                hidden += [str(module) for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert hidden == ["identity/jsonnet/worker.py"], "the sandbox loads its engine once it is a process of its own"
