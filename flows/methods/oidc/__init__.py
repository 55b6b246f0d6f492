"""Signing in with an account at an OpenID Connect or OAuth 2.0 provider (contract: methods.md 10)."""

from flows.methods.oidc.method import OIDC

__all__ = ["OIDC"]
