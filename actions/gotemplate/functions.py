"""Which functions a template may call, how many arguments each takes, and what to say of those that are left out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actions.gotemplate import builtin, sprig
from identity.config.faults import did_you_mean

VARIES = frozenset(
    (
        *("now", "date", "dateInZone", "date_in_zone", "dateModify", "date_modify", "mustDateModify", "htmlDate", "htmlDateInZone", "ago"),
        *("randAlpha", "randAlphaNum", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4", "bcrypt", "htpasswd"),
        *("genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "derivePassword"),
    )
)
REACHES_OUT = frozenset(("env", "expandenv", "getHostByName", "osBase", "osDir", "osExt", "osClean", "osIsAbs"))


@dataclass(frozen=True)
class Known:
    call: Callable[..., Any]
    arity: tuple[int, int | None]  # at least, at most


def _known(call: Callable[..., Any]) -> Known:
    kinds = [parameter.kind for parameter in inspect.signature(call).parameters.values()]
    fixed = sum(kind is not inspect.Parameter.VAR_POSITIONAL for kind in kinds)
    return Known(call, (fixed, None if len(kinds) > fixed else fixed))


FUNCTIONS = {name: _known(call) for name, call in (sprig.TABLE | builtin.TABLE).items()}


def absent(name: str) -> str:
    """Say why there is no function of this name."""
    if name in VARIES:
        return f'the function "{name}" is left out: its result is another one each time.'
    if name in REACHES_OUT:
        return f'the function "{name}" is left out: it reaches out of the template.'
    return f'there is no function "{name[:40]}".{did_you_mean(name, FUNCTIONS)}'
