"""One spelling for everything that identifies a person (contract: identities.md 2.5)."""

import unicodedata

import phonenumbers

INVISIBLE = {"Cc", "Cf", "Co", "Cn"}  # controls, format characters (bidi controls among them), private use, unassigned
JOINER = "\u200d"  # holds emoji together


def identifier(value: str) -> str:
    """Return the spelling under which *value* is stored and looked up: case, width, blanks and invisible characters are forgotten.

    An international phone number becomes E.164. Never fails.
    """
    seen = value.strip().lower() if value.isascii() and value.isprintable() else _seen(value)
    return phone(seen) or seen


def _seen(value: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value.strip()).lower())
    return "".join(c for c in folded if c == JOINER or unicodedata.category(c) not in INVISIBLE).strip()


def phone(value: str) -> str | None:
    """Return the E.164 form of a valid international number ("+49 176 ..."), else None."""
    spelled = unicodedata.normalize("NFKC", value).strip()
    if not spelled.startswith("+") or len(spelled) > 40:
        return None
    try:
        number = phonenumbers.parse(spelled, None)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(number) else None
