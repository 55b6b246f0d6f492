"""What a provider is: where people are sent, how a code becomes an account, and who vouches for it."""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import orjson
from authlib.integrations.base_client.errors import OAuthError
from authlib.oauth2.base import OAuth2Error
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from flows.methods.oidc import conf, outgoing
from flows.methods.oidc.claims import Account, normalized, subject_of
from flows.methods.oidc.conf import ProviderRules
from identity.errors import BadRequest, UpstreamError

SIGNED_WITH = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"))
LEEWAY = 60  # seconds that clocks may differ
LONGEST = 200  # characters of what a provider says that are repeated


class Refused(BadRequest):
    """What came back from the provider does not prove anything."""

    title = "The other site did not sign you in."


class Provider:
    """A preset without an id_token (OAuth 2.0, RFC 6749): who somebody is, is asked with the access token."""

    preset: ClassVar[str]
    issuer: ClassVar[str] = ""
    auth_url: ClassVar[str] = ""
    token_url: ClassVar[str] = ""
    scopes: ClassVar[tuple[str, ...]] = ()  # asked for where the configuration names none
    needs_scopes: ClassVar[tuple[str, ...]] = ()  # sign-in is refused when one that was asked for is not granted
    is_openid: ClassVar[bool] = False
    takes_id_tokens: ClassVar[bool] = False  # apps may send one that they got by themselves

    def __init__(self, rules: ProviderRules) -> None:
        self.rules = rules

    # where things are

    def authorization_endpoint(self) -> str:
        return self.rules.auth_url or self.auth_url

    def token_endpoint(self) -> str:
        return self.rules.token_url or self.token_url

    def client_secret(self) -> str:
        return self.rules.client_secret

    def authentication(self) -> str:
        """Return how the client proves itself to the token endpoint (RFC 6749 section 2.3.1)."""
        return "client_secret_post"

    def uses_pkce(self) -> bool:
        return self.rules.pkce == "force"

    def wanted_scopes(self) -> list[str]:
        return list(self.rules.scopes or self.scopes)

    # leaving

    def prepare(self, *, state: str) -> dict[str, str]:
        """Return what this preset has to remember until the browser is back. Raises ProviderSilent."""
        return {}

    def leave(
        self, *, state: str, nonce: str, verifier: str, temporary: Mapping[str, str], is_refresh: bool, upstream: dict[str, str]
    ) -> str:
        """Return where the browser is sent. *temporary* is what `prepare` returned."""
        extra = self.parameters(is_refresh=is_refresh)
        if self.rules.requested_claims:
            extra["claims"] = orjson.dumps(self.rules.requested_claims).decode()
        extra |= upstream
        if self.is_openid:
            extra["nonce"] = nonce
        client = self._client()
        url, _ = client.create_authorization_url(
            self.authorization_endpoint(), state=state, code_verifier=verifier or None, scope=" ".join(self.wanted_scopes()), **extra
        )
        return str(url)

    def parameters(self, *, is_refresh: bool) -> dict[str, str]:
        """Return what this preset adds to the address."""
        return {"prompt": "login"} if is_refresh and self.is_openid else {}

    def _client(self) -> Any:
        return outgoing.client(
            self.rules.client_id,
            self.client_secret(),
            redirect_uri=conf.callback_url(self.rules),
            token_endpoint_auth_method=self.authentication(),
        )

    # coming back

    def arrive(self, *, query: dict[str, str], nonce: str, verifier: str, temporary: Mapping[str, str]) -> Account:
        """Return the account that the browser brings word of. *query* is what it came back with.

        Raises:
            Refused: The person said no, what the provider says cannot be believed, or it granted less than is needed.
            ProviderSilent: It does not answer.
            UpstreamError: It refused the code, or says nobody.
        """
        self.require_consent(query)
        token = self.exchange(query, verifier, temporary)
        self.require_scopes(token)
        raw = self.claims(token, nonce, query)
        issuer, subject = self.who_vouches(raw), subject_of(self.rules, raw)
        if not issuer or not subject:
            raise UpstreamError("The provider does not say who somebody is.")
        tokens = {f"initial_{name}": str(token.get(name) or "") for name in ("id_token", "access_token", "refresh_token")}
        return Account(self.rules, issuer, subject, normalized({"iss": issuer, **raw, "sub": subject}), tokens)

    def who_vouches(self, raw: dict[str, Any]) -> str:
        """Return the issuer under which accounts are kept: always the same spelling."""
        return str(raw.get("iss") or self.issuer).rstrip("/")

    def require_consent(self, query: dict[str, str]) -> None:
        """Raises Refused: the person said no, or the provider did."""
        if error := query.get("error"):
            description = query.get("error_description", "")[:LONGEST]
            raise Refused(f"{self.rules.label} did not sign you in: {error[:LONGEST]}{f' ({description})' if description else ''}.")

    def exchange(self, query: dict[str, str], verifier: str, temporary: Mapping[str, str]) -> dict[str, Any]:
        """Return the token that the provider gives for what the browser brought. Raises as `arrive`."""
        code = query.get("code") or query.get("authCode")
        if not code:
            raise Refused(f"{self.rules.label} sent no code.")
        token = self.token(code, verifier)
        if not isinstance(token.get("access_token"), str) or not token["access_token"]:
            raise UpstreamError("The provider gave no token.")
        return token

    def token(self, code: str, verifier: str) -> dict[str, Any]:
        """Return the answer of the token endpoint."""
        more = self.token_parameters() | ({"code_verifier": verifier} if verifier else {})
        try:
            token = self._client().fetch_token(
                self.token_endpoint(), grant_type="authorization_code", code=code, redirect_uri=conf.callback_url(self.rules), **more
            )
        except (OAuth2Error, OAuthError) as error:
            raise UpstreamError(f"The provider refused the code: {str(error.error)[:LONGEST]}.") from error
        except (ValueError, TypeError) as error:  # from Authlib, which finds a list in place of a token, or no number in expires_in
            raise UpstreamError("The provider's answer is no token.") from error
        return dict(token)

    def token_parameters(self) -> dict[str, str]:
        """Return what this preset adds to the request for the token."""
        return {}

    def require_scopes(self, token: dict[str, Any]) -> None:
        """Raises Refused: the person took away what is needed to know them."""
        granted = token.get("scope")
        if not self.needs_scopes or not isinstance(granted, str):
            return
        held = set(granted.replace(",", " ").split())
        if missing := [scope for scope in self.wanted_scopes() if scope in self.needs_scopes and scope not in held]:
            raise Refused(f"{self.rules.label} was not allowed to tell: {', '.join(missing)}.")

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        """Return what the provider says of somebody, by the names of OpenID Connect."""
        raise NotImplementedError


class OpenIDProvider(Provider):
    """A preset with discovery and an id_token (OpenID Connect Core 1.0, Discovery 1.0)."""

    is_openid = True

    def issuer_url(self) -> str:
        return (self.issuer or self.rules.issuer_url).rstrip("/")

    def metadata(self) -> dict[str, Any]:
        """Return the provider's metadata. Raises ProviderSilent, Refused."""
        found: dict[str, Any] = outgoing.published.get(f"{self.issuer_url()}/.well-known/openid-configuration")
        if not self.is_expected(str(found.get("issuer", "")).rstrip("/"), {}):
            raise Refused(f"{self.rules.label} says to be somebody else.")
        return found

    def is_expected(self, issuer: str, claims: dict[str, Any]) -> bool:
        return issuer.rstrip("/") == self.issuer_url()

    def authorization_endpoint(self) -> str:
        return self.rules.auth_url or self._endpoint("authorization_endpoint")

    def token_endpoint(self) -> str:
        return self.rules.token_url or self._endpoint("token_endpoint")

    def _endpoint(self, name: str) -> str:
        url = self.metadata().get(name)
        if not isinstance(url, str):
            raise outgoing.ProviderSilent("The other site does not say how to sign in there. Please try again later.")
        return url

    def authentication(self) -> str:
        known = self.metadata().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_post" if "client_secret_post" in known else "client_secret_basic"

    def uses_pkce(self) -> bool:
        if self.rules.pkce != "auto":
            return self.rules.pkce == "force"
        return "S256" in (self.metadata().get("code_challenge_methods_supported") or ())

    def wanted_scopes(self) -> list[str]:
        scopes = super().wanted_scopes()
        return scopes if "openid" in scopes else ["openid", *scopes]

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        if not isinstance(token.get("id_token"), str):
            raise Refused(f"{self.rules.label} gave no id_token.")
        said = self.verify(token["id_token"], audiences=[self.rules.client_id])
        if not hmac.compare_digest(str(said.get("nonce", "")).encode(errors="replace"), nonce.encode()):
            raise Refused("The id_token was made for another sign-in.")
        if self.rules.claims_source == "userinfo":
            return self._userinfo(token, said)
        return said

    def _userinfo(self, token: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
        """Return the claims of the userinfo endpoint (OpenID Connect Core section 5.3): of the same subject, or nobody's."""
        told = outgoing.get_object(self._endpoint("userinfo_endpoint"), token["access_token"])
        if told.get("sub") != said.get("sub"):
            raise Refused("The provider tells of somebody else than it signed in.")
        return {**told, **{name: said[name] for name in ("iss", "sub", "acr", "amr") if name in said}}

    def verify(self, id_token: str, *, audiences: Iterable[str]) -> dict[str, Any]:
        """Return the claims of an id_token (OpenID Connect Core section 3.1.3.7), but for its nonce.

        Raises:
            Refused: It is not signed by the provider, not for us, not from the provider, or out of date.
        """
        algorithms = [name for name in self._algorithms() if name in SIGNED_WITH]
        try:
            said = jwt.decode(id_token, self._keys(id_token), algorithms=algorithms).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise Refused(f"The id_token of {self.rules.label} is not signed as it should be.") from error
        if not self.is_expected(str(said.get("iss", "")), said):
            raise Refused("The id_token is from somebody else.")
        wanted, held_by, party = set(audiences), _texts(said.get("aud")), said.get("azp") or ""
        if not wanted & held_by or not isinstance(party, str) or (party and party not in wanted | held_by):
            raise Refused("The id_token is for somebody else.")
        if len(held_by) > 1 and party not in wanted:
            raise Refused("The id_token is for somebody else.")
        now = time.time()
        if not _is_number(said.get("exp")) or said["exp"] + LEEWAY < now:
            raise Refused("The id_token is out of date.")
        if any(_is_number(said.get(name)) and said[name] - LEEWAY > now for name in ("iat", "nbf")):
            raise Refused("The id_token is not valid yet.")
        return dict(said)

    def _algorithms(self) -> list[str]:
        found = self.metadata().get("id_token_signing_alg_values_supported")
        return found if isinstance(found, list) else ["RS256"]

    def _keys(self, id_token: str) -> KeySet:
        """Return the provider's keys; fetched anew when the token names one that is not known."""
        url = self._endpoint("jwks_uri")
        wanted = jwt_key_id(id_token)
        found = outgoing.published.get(url)
        if wanted and all(key.get("kid") != wanted for key in found.get("keys") or ()):
            found = outgoing.published.get(url, younger_than=outgoing.NOT_AGAIN)
        return KeySet.import_key_set(found)


def jwt_key_id(token: str) -> str:
    """Return the `kid` that a token names, "" when it names none. Nothing is believed by it."""
    try:
        head = orjson.loads(urlsafe_b64decode(token.split(".", 1)[0] + "=="))
    except ValueError:
        return ""
    return str(head.get("kid") or "") if isinstance(head, dict) else ""


def within(document: Any, *path: str | int) -> Any:
    """Return what a document holds at *path*, None where it has another shape than its provider documents."""
    for step in path:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int):
            document = document[step] if step < len(document) else None
        else:
            return None
    return document


def _texts(value: Any) -> set[str]:
    return {each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


PRESETS: dict[str, type[Provider]] = {}
P = TypeVar("P", bound=type[Provider])


def register(provider: P) -> P:
    PRESETS[provider.preset] = provider
    return provider
