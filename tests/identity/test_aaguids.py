"""What a key is called that its person gave no name."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from identity.credentials import aaguids
from tests.identity.test_webauthn_recordings import made
from tests.vectors.webauthn_devices import DEVICES


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("08987058-cadc-4b81-b6e1-30de50dcbe96", "Windows Hello"),
        ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "Apple Passwords"),
        ("d548826e-79b4-db40-a3d8-11116f7e8349", "Bitwarden"),
        ("2fc0579f-8113-47ea-b116-bb5a8db9202a", "YubiKey 5 NFC"),
        ("42b4fb4a-2866-43b2-9bf7-6c6669c2e5d3", "Google Titan Security Key"),
        ("2cd2f727-f6ca-44da-8f48-5c2e5da000a2", "Nitrokey 3"),
        ("00000000-0000-0000-0000-000000000000", ""),
        ("0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f", ""),
    ],
)
def test_it_calls_a_known_model_by_its_name_and_others_not_at_all(model: str, name: str) -> None:
    assert aaguids.name_of(uuid.UUID(model).bytes) == name


@pytest.mark.parametrize("broken", [b"", b"short", bytes(17)])
def test_what_is_no_id_has_no_name(broken: bytes) -> None:
    assert aaguids.name_of(broken) == ""


def test_every_entry_is_an_id_in_its_usual_spelling_with_a_name() -> None:
    assert len(aaguids.NAMES) >= 80
    for model, name in aaguids.NAMES.items():
        assert str(uuid.UUID(model)) == model
        assert name == name.strip() != ""
        assert len(name) <= 64


def test_the_table_is_written_without_a_model_twice() -> None:
    """A dict would keep the last of two in silence."""
    written = Path(aaguids.__file__).read_text()

    assert [model for model in aaguids.NAMES if written.count(model) != 1] == []


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("YubiKey 5 NFC", "YubiKey 5 NFC"),
        ("YubiKey 5 Nano", "YubiKey 5"),
        ("YubiKey 5Ci", "YubiKey 5Ci"),
        ("YubiKey 5 NFC FIPS", "YubiKey 5 NFC FIPS"),
        ("YubiKey Bio", "YubiKey Bio"),
        ("Security Key 2 by Yubico", "Security Key by Yubico"),
        ("Windows Hello on a Dell XPS 13, TPM by Nuvoton", "Windows Hello"),
        ("Pixel 8a", "Android"),
    ],
)
def test_a_device_is_called_what_it_says_it_is(device: str, name: str) -> None:
    [recorded] = [each for each in DEVICES if each.name == device]
    assert recorded.registration is not None

    assert made(recorded.registration).display_name == name
