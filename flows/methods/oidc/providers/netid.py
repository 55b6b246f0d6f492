"""netID, a broker between many providers (developerzone.netid.dev/sso)."""

from __future__ import annotations

from dataclasses import replace

from flows.methods.oidc.conf import ProviderRules
from flows.methods.oidc.providers.base import OpenIDProvider, register


@register
class NetID(OpenIDProvider):
    preset = "netid"
    issuer = "https://broker.netid.de"

    def __init__(self, rules: ProviderRules) -> None:
        """The broker's id_token names the subject only: the rest is asked of it."""
        super().__init__(replace(rules, claims_source="userinfo"))
