"""Codes that are sent to an address: they sign in, sign up, are a second factor, and prove an address (contract: methods.md 6)."""

from flows.methods.code.method import CodeMethod

__all__ = ["CodeMethod"]
