"""The models of the folders below, where Django looks for them."""

from identity.credentials.models import Credential, CredentialIdentifier, GuessCount
from identity.http.models import ParkedError
from identity.identities.models import Identity, RecoveryAddress, VerifiableAddress
from identity.sessions.models import Session

__all__ = ["Credential", "CredentialIdentifier", "GuessCount", "Identity", "ParkedError", "RecoveryAddress", "Session", "VerifiableAddress"]
