"""In which language a message is written: the person's own if they said so, else their browser's, else English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation.trans_real import parse_accept_lang_header

TRAITS = ("locale", "language", "lang")  # that say what a person reads, as in BCP 47: "de", "pt-BR"
LONGEST = 40  # characters of a language's name


def chosen(data: Mapping[str, Any], headers: Mapping[str, Sequence[str]]) -> str:
    """Return the first language that was asked for and that there are words in. Asks nobody: all is at hand."""
    known = dict(settings.LANGUAGES)
    return next((code for tag in _wanted(data, headers) if (code := _code(tag)) in known), settings.LANGUAGE_CODE)


def _wanted(data: Mapping[str, Any], headers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    about = data.get("identity") or data
    traits = about.get("traits")
    if isinstance(traits, dict):
        yield from (traits[name] for name in TRAITS if isinstance(traits.get(name), str))
    for name, values in headers.items():
        if name.lower() == "accept-language":
            yield from (tag for value in values for tag, weight in parse_accept_lang_header(value) if weight > 0)


def _code(tag: str) -> str:
    """Return the language of a tag: de-AT and de_AT are German."""
    return tag[:LONGEST].replace("_", "-").partition("-")[0].strip().lower()
