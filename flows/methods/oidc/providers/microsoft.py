"""Microsoft Entra ID, for one tenant or for many (learn.microsoft.com/entra/identity-platform/v2-protocols-oidc)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import OpenIDProvider, Refused, register
from identity.ids import parse_uuid

HOST = "https://login.microsoftonline.com"
PLACEHOLDER = "{tenantid}"  # in the metadata of the addresses that serve many tenants


@register
class Microsoft(OpenIDProvider):
    preset = "microsoft"

    def issuer_url(self) -> str:
        return f"{HOST}/{self.rules.tenant}/v2.0"

    def is_expected(self, issuer: str, claims: dict[str, Any]) -> bool:
        """A token names its own tenant, by its id, whatever name the tenant has in the configuration."""
        if not claims:
            return issuer == self.issuer_url() or issuer == f"{HOST}/{PLACEHOLDER}/v2.0" or self._is_of_tenant(issuer)
        tenant = str(claims.get("tid", ""))
        if parse_uuid(tenant) is None or issuer != f"{HOST}/{tenant}/v2.0":
            return False
        wanted = self.rules.tenant
        return tenant == wanted if parse_uuid(wanted) else True

    def _is_of_tenant(self, issuer: str) -> bool:
        tenant = issuer.removeprefix(f"{HOST}/").removesuffix("/v2.0")
        return issuer == f"{HOST}/{tenant}/v2.0" and parse_uuid(tenant) is not None

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        said = super().claims(token, nonce, query)
        match self.rules.subject_source:
            case "oid":
                said["sub"] = said.get("oid")
            case "me":
                said["sub"] = outgoing.get_object("https://graph.microsoft.com/v1.0/me", token["access_token"]).get("id")
        if not said.get("sub"):
            raise Refused("Microsoft does not say who somebody is.")
        return said
