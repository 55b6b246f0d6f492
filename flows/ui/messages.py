"""What a flow says to a person: a numeric id that never changes its meaning, and our words for it (contract: methods.md 12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from identity.identities.schemas import TraitError
from identity.sessions.services import rfc3339


@dataclass(frozen=True)
class Message:
    """One sentence. `at` is the name of the node it belongs to; "" stands above the form. `at` is not sent."""

    id: int
    text: str
    type: str = "error"  # error, info or success
    context: dict[str, Any] = field(default_factory=dict)
    at: str = ""

    def on(self, name: str) -> Message:
        return replace(self, at=name)

    def as_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = {"id": self.id, "text": self.text, "type": self.type}
        if self.context:
            said["context"] = self.context
        return said


def _info(id: int, text: str, **context: Any) -> Message:
    return Message(id, text, "info", context)


def _success(id: int, text: str, **context: Any) -> Message:
    return Message(id, text, "success", context)


def _error(id: int, text: str, **context: Any) -> Message:
    return Message(id, text, "error", context)


def _expired(id: int, at: datetime) -> Message:
    return _error(id, "This form has expired. Please try again.", expired_at=rfc3339(at), expired_at_unix=int(at.timestamp()))


# login


def login_confirm_button() -> Message:
    return _info(1010001, "Sign in")


def login_refresh() -> Message:
    return _info(1010003, "Please confirm that it is you.")


def login_second_factor() -> Message:
    return _info(1010004, "Please use your second factor.")


def login_password_button() -> Message:
    return _info(1010022, "Sign in with password")


def login_expired(at: datetime) -> Message:
    return _expired(4010001, at)


def login_no_method() -> Message:
    return _error(4010002, "There is no way to sign in with what was sent. Please check the form.")


def login_used() -> Message:
    return _error(4010007, "This form was used already. Please sign in again.")


def identity_disabled() -> Message:
    return _error(4010011, "This account is disabled.")


def credentials_invalid() -> Message:
    return _error(4000006, "That does not fit any account. Check the spelling and your password.")


NO_ACCOUNT_WITH_KEY = 4000015


def no_account_with_key() -> Message:
    return _error(NO_ACCOUNT_WITH_KEY, "There is no account here with this key. Check the spelling, or sign in another way.")


# registration


def registration_button() -> Message:
    return _info(1040001, "Sign up")


def registration_back() -> Message:
    return _info(1040008, "Back")


def registration_choose_credential() -> Message:
    return _info(1040009, "Choose how you want to sign in from now on.")


def registration_expired(at: datetime) -> Message:
    return _expired(4040001, at)


def registration_no_method() -> Message:
    return _error(4010003, "There is no way to sign up with what was sent. Please check the form.")


def registration_used() -> Message:
    return _error(4040002, "This form was used already. Please start again.")


def duplicate() -> Message:
    return _error(4000007, "There is an account with this identifier already. Sign in instead, or choose another.")


def duplicate_with_hints(types: list[str], providers: list[str], identifier: str) -> Message:
    ways = ", ".join([*types, *providers]) or "another way"
    return _error(
        4000028,
        f"There is an account with this identifier already. Sign in to it with: {ways}.",
        available_credential_types=types,
        available_oidc_providers=providers,
        credential_identifier_hint=identifier,
    )


def no_identifier() -> Message:
    return _error(4000009, "No identifier was given that this could be kept under.")


def address_not_verified() -> Message:
    return _error(4000010, "Your address is not verified yet. Use the code that we sent you.")


# settings


def settings_saved() -> Message:
    return _success(1050001, "Your changes were saved.")


def settings_expired(at: datetime) -> Message:
    return _expired(4050001, at)


def settings_no_method() -> Message:
    return _error(4010004, "Nothing that could be changed was sent. Please check the form.")


def same_password() -> Message:
    return _error(4000039, "That is your password already. Choose another one.")


def too_many_address_changes() -> Message:
    return _error(4050002, "Please change one address at a time.")


# recovery and verification


def recovery_success(until: datetime) -> Message:
    return _success(
        1060001,
        f"You are back in. Choose a new password or another way to sign in before {until:%H:%M} UTC.",
        privilegedSessionExpiresAt=rfc3339(until),
        privileged_session_expires_at=rfc3339(until),
        privileged_session_expires_at_unix=int(until.timestamp()),
    )


def recovery_link_mailed() -> Message:
    return _info(1060002, "If this address belongs to an account, we have sent a link to it. Open it to get back in.")


def recovery_code_mailed() -> Message:
    return _info(1060003, "If this address belongs to an account, we have sent a code to it. Type it below.")


def recovery_code_sent_to(masked: str) -> Message:
    return _info(1060004, f"If {masked} belongs to an account, a code is on its way there.", masked_address=masked)


def recovery_confirm_address() -> Message:
    return _info(1060005, "Please type the whole address, so that we know that it is yours.")


def recovery_choose_address() -> Message:
    return _info(1060006, "Where shall we send the code?")


def recovery_back() -> Message:
    return _info(1060007, "Back")


def recovery_no_method() -> Message:
    return _error(4010005, "There is no way to recover an account with what was sent. Please check the form.")


def recovery_used() -> Message:
    return _error(4060001, "This form was used already. Please start again.")


def recovery_state() -> Message:
    return _error(4060002, "This form cannot go on from here. Please start again.")


def recovery_link_invalid() -> Message:
    return _error(4060004, "This link was used already, or is not complete. Please ask for a new one.")


def recovery_expired(at: datetime) -> Message:
    return _expired(4060005, at)


def recovery_code_invalid() -> Message:
    return _error(4060006, "This code is wrong or out of date. Check it, or ask for a new one.")


def verification_link_mailed(own: str = "") -> Message:
    """With *own*, an address of whoever reads this, there is nothing to hide from them; the same below."""
    if own:
        return _info(1080001, f"We have sent a link to {own}. Open it to verify the address.")
    return _info(1080001, "If this address is one of ours, we have sent a link to it. Open it to verify the address.")


def verification_success() -> Message:
    return _success(1080002, "Your address is verified.")


def verification_code_mailed(own: str = "") -> Message:
    if own:
        return _info(1080003, f"We have sent a code to {own}. Type it below to verify the address.")
    return _info(1080003, "If this address is one of ours, we have sent a code to it. Type it below.")


def verification_code_texted(own: str = "") -> Message:
    if own:
        return _info(1080004, f"We have sent a code to {own}. Type it below to verify the number.")
    return _info(1080004, "If this number is one of ours, we have sent a code to it. Type it below.")


def verification_success_phone() -> Message:
    return _success(1080005, "Your number is verified.")


def verification_no_method() -> Message:
    return _error(4010006, "There is no way to verify an address with what was sent. Please check the form.")


def verification_link_invalid() -> Message:
    return _error(4070001, "This link was used already, or is not complete. If your address is not verified yet, ask for a new one.")


def verification_used() -> Message:
    return _error(4070002, "This form was used already. If your address is not verified yet, start again.")


def verification_state() -> Message:
    return _error(4070003, "This form cannot go on from here. Please start again.")


def verification_expired(at: datetime) -> Message:
    return _expired(4070005, at)


def verification_code_invalid() -> Message:
    return _error(4070006, "This code is wrong or out of date. Check it, or ask for a new one.")


def code_used() -> Message:
    return generic("This code was used already. Please ask for a new one.")


def too_many_attempts() -> Message:
    return generic("That was the wrong code too many times. Please start again.")


# labels


def password_label() -> Message:
    return _info(1070001, "Password")


def trait_label(name: str, title: str) -> Message:
    return _info(1070002, title, title=title, name=name)


def save_button() -> Message:
    return _info(1070003, "Save")


def identifier_label() -> Message:
    return _info(1070004, "ID")


def email_label() -> Message:
    return _info(1070007, "Email")


def resend_button() -> Message:
    return _info(1070008, "Send the code again")


def continue_button() -> Message:
    return _info(1070009, "Continue")


def recovery_code_label() -> Message:
    return _info(1070010, "Recovery code")


def email_or_phone_label() -> Message:
    return _info(1070018, "Email or phone")


def recovery_address_label() -> Message:
    return _info(1070016, "Email, phone or other address of your account")


def phone_label() -> Message:
    return _info(1070017, "Phone number")


def plain(text: str) -> Message:
    """Return a label that says just this."""
    return _info(1070000, text)


def verification_code_label() -> Message:
    return _info(1070011, "Verification code")


# validation


def generic(reason: str) -> Message:
    return _error(4000001, reason, reason=reason)


def email_format(value: str) -> Message:
    return _error(4000040, "This is not an email address.", value=value)


def too_long(maximum: int, actual: int) -> Message:
    return _error(4000017, f"This may have at most {maximum} characters; it has {actual}.", max_length=maximum, actual_length=actual)


def required(name: str) -> Message:
    return _error(4000002, "This field is needed.", property=name)


def policy(reason: str) -> Message:
    return _error(4000005, reason, reason=reason)


def password_too_similar() -> Message:
    return _error(4000031, "The password is too similar to your identifier. Choose another one.")


def password_too_short(minimum: int, actual: int) -> Message:
    return _error(
        4000032, f"The password needs at least {minimum} characters; this one has {actual}.", min_length=minimum, actual_length=actual
    )


def password_too_long(maximum: int, actual: int) -> Message:
    return _error(
        4000033, f"The password may have at most {maximum} characters; this one has {actual}.", max_length=maximum, actual_length=actual
    )


def password_breached(breaches: int) -> Message:
    return _error(4000034, "This password is known from data breaches. Choose another one.", breaches=breaches)


def wrong_type(allowed: list[str], actual: str) -> Message:
    return _error(4000026, f"This should be {' or '.join(allowed)}, but it is {actual}.", allowed_types=allowed, actual_type=actual)


def trait_error(error: TraitError) -> Message:
    """Return what a person is told of one thing that is wrong with their traits, at the field it is about."""
    made = _TRAIT_ERRORS.get(error.keyword, _unexplained)(error.parameters, error.value)
    path = [*error.path]
    if error.keyword == "required":
        path.append(error.parameters["property"])
    return made.on(".".join(str(part) for part in path))


def _unexplained(parameters: dict[str, Any], value: Any) -> Message:
    return generic("This value cannot be used here.")


def _listed(values: list[Any]) -> str:
    return ", ".join(map(str, values))


def _format(parameters: dict[str, Any], value: Any) -> Message:
    if parameters["format"] in ("email", "email_loose"):
        return email_format(value)
    if parameters["format"] == "tel":
        return _error(4000041, "This is not an international phone number, such as +49 30 1234567.", value=value)
    return generic(f"This is not a valid {parameters['format']}.")


def _constant(parameters: dict[str, Any], value: Any) -> Message:
    expected = parameters["expected_value"]
    return _error(4000029, f"This must be {expected}.", expected=expected)


def _unique(parameters: dict[str, Any], value: Any) -> Message:
    first, second = next(
        ((i, j) for j, item in enumerate(value) for i in range(j) if value[i] == item),
        (0, 0),
    )
    return _error(4000025, "Each entry may be given once.", index_a=first, index_b=second)


def json_type(value: Any) -> str:
    """Return JSON's name for the type of *value*."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string"


_TRAIT_ERRORS: dict[str, Callable[[dict[str, Any], Any], Message]] = {
    "required": lambda p, v: required(p["property"]),
    "minLength": lambda p, v: _error(
        4000003, f"This needs at least {p['limit']} characters; it has {len(v)}.", min_length=p["limit"], actual_length=len(v)
    ),
    "maxLength": lambda p, v: _error(
        4000017, f"This may have at most {p['limit']} characters; it has {len(v)}.", max_length=p["limit"], actual_length=len(v)
    ),
    "pattern": lambda p, v: _error(4000004, "This does not have the expected form.", pattern=p["pattern"]),
    "minimum": lambda p, v: _error(4000018, f"This must be {p['limit']} or more.", minimum=p["limit"], actual=v),
    "exclusiveMinimum": lambda p, v: _error(4000019, f"This must be more than {p['limit']}.", minimum=p["limit"], actual=v),
    "maximum": lambda p, v: _error(4000020, f"This must be {p['limit']} or less.", maximum=p["limit"], actual=v),
    "exclusiveMaximum": lambda p, v: _error(4000021, f"This must be less than {p['limit']}.", maximum=p["limit"], actual=v),
    "multipleOf": lambda p, v: _error(4000022, f"This must be a multiple of {p['multiple_of']}.", base=p["multiple_of"], actual=v),
    "maxItems": lambda p, v: _error(4000023, f"At most {p['limit']} entries.", max_items=p["limit"], actual_items=len(v)),
    "minItems": lambda p, v: _error(4000024, f"At least {p['limit']} entries.", min_items=p["limit"], actual_items=len(v)),
    "uniqueItems": _unique,
    "type": lambda p, v: wrong_type(p["types"], json_type(v)),
    "const": _constant,
    "enum": lambda p, v: generic(f"Choose one of: {_listed(p['options'])}."),
    "additionalProperties": lambda p, v: generic(f"There is no such field: {_listed(p['unexpected'])}."),
    "format": _format,
}
