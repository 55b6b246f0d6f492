"""What every page needs without its view handing it over: whose pages these are, and which ways are open."""

from __future__ import annotations

import hashlib
from typing import Any

from django import template
from django.urls import reverse

from flows import conf
from flows.conf import Brand
from flows.pages import colours
from identity import conf as identity_conf

register = template.Library()


@register.simple_tag
def brand() -> Brand:
    return conf.brand()


@register.simple_tag
def theme_url() -> str:
    """Return where the operator's colours are; the address changes with them, so that browsers may keep it."""
    rules = conf.brand()
    version = hashlib.sha256(colours.theme(rules.accent, rules.accent_dark).encode()).hexdigest()[:12]
    return f"{reverse('ui-theme')}?v={version}"


@register.simple_tag
def start_url(kind: str) -> str:
    """Return where a flow of this kind starts, or "" when it is switched off."""
    return identity_conf.public_url(f"/self-service/{kind}/browser") if conf.flow(kind).enabled else ""


@register.simple_tag
def is_on(kind: str) -> bool:
    return conf.flow(kind).enabled


@register.filter
def initial(name: Any) -> str:
    """Return the letter that stands for a name without a logo."""
    return next((letter.upper() for letter in str(name) if letter.isalnum()), "•")
