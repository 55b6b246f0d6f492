"""Any provider that follows OpenID Connect: everything is found out from its issuer."""

from flows.methods.oidc.providers.base import OpenIDProvider, register


@register
class Generic(OpenIDProvider):
    preset = "generic"
