"""What a key is called when its person gave it no name: the model that it says it is, by its AAGUID.

Makers publish these ids, those of password managers in a list that the passkey developers keep together, those of hardware
in the metadata service of the FIDO Alliance. The names are for the person who owns the key; nothing is decided by them.
"""

from __future__ import annotations

import uuid

NAMES = {
    # platforms and browsers
    "08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
    "9ddd1817-af5a-4672-a2b9-3e3dd95000a9": "Windows Hello",
    "6028b017-b1d4-4c02-b4b3-afcdafc96bb2": "Windows Hello",
    "fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "Apple Passwords",
    "dd4ec289-e01d-41c9-bb89-70fa845d4bf2": "Apple Passwords (managed)",
    "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
    "adce0002-35bc-c60a-648b-0b25f1f05503": "Chrome on Mac",
    "771b48fd-d3d4-4f74-9232-fc157ab0507a": "Edge on Mac",
    "b5397666-4885-aa6b-cebf-e52262a439a2": "Chromium",
    "53414d53-554e-4700-0000-000000000000": "Samsung Pass",
    "b93fd961-f2e6-462f-b122-82002247de78": "Android",
    "d3452668-01fd-4c12-926c-83a4204853aa": "Microsoft Password Manager",
    "de1e552d-db1d-4423-a619-566b625cdc84": "Microsoft Authenticator",  # for Android
    "90a3ccdf-635c-4729-a248-9b709135078f": "Microsoft Authenticator",  # for iOS
    # password managers
    "bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
    "d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden",
    "531126d6-e717-415c-9320-3d9aa6981239": "Dashlane",
    "b78a0a55-6ef8-d246-a042-ba0f6d55050c": "LastPass",
    "50726f74-6f6e-5061-7373-50726f746f6e": "Proton Pass",
    "b84e4048-15dc-4dd0-8640-f4f60813c8af": "NordPass",
    "0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6": "Keeper",
    "f3809540-7f14-49c1-a8b3-8f813b225541": "Enpass",
    "fdb141b2-5d84-443e-8a35-4698c205a502": "KeePassXC",
    "eaecdef2-1c31-5634-8639-f1cbd9c00a08": "KeePassDX",
    "b35a26b2-8f6e-4697-ab1d-d44db4da28c6": "Zoho Vault",
    "a10c6dd9-465e-4226-8198-c7c44b91c555": "Kaspersky Password Manager",
    "fa37f553-f9b6-4adb-ac53-8bbb57ebdf0d": "Norton Password Manager",
    "d9be9d39-e6a6-4c28-a581-32b044d986e4": "Sticky Password",
    "de503f9c-21a4-4f76-b4b7-558eb55c6f89": "Devolutions",
    "891494da-2c90-4d31-a9cd-4eab0aed1309": "Sésame",
    "a11a5faa-9f32-4b8c-8c5d-2f7d13e8c942": "AliasVault",
    "22248c4c-7a12-46e2-9a41-44291b373a4d": "LogMeOnce",
    # Yubico
    "cb69481e-8ff7-4039-93ec-0a2729a154a8": "YubiKey 5",
    "ee882879-721c-4913-9775-3dfcce97072a": "YubiKey 5",
    "19083c3d-8383-4b18-bc03-8f1c9ab2fd1b": "YubiKey 5",
    "20ac7a17-c814-4833-93fe-539f0d5e3389": "YubiKey 5 (enterprise)",
    "fa2b99dc-9e39-4257-8f92-4a30d23c4118": "YubiKey 5 NFC",
    "2fc0579f-8113-47ea-b116-bb5a8db9202a": "YubiKey 5 NFC",
    "a25342c0-3cdc-4414-8e46-f4807fca511c": "YubiKey 5 NFC",
    "1ac71f64-468d-4fe0-bef1-0e5f2f551f18": "YubiKey 5 NFC (enterprise)",
    "c5ef55ff-ad9a-4b9f-b580-adebafe026d0": "YubiKey 5Ci",
    "a02167b9-ae71-4ac7-9a07-06432ebb6f1c": "YubiKey 5Ci",
    "b90e7dc1-316e-4fee-a25a-56a666a670fe": "YubiKey 5Ci (enterprise)",
    "73bb0cd4-e502-49b8-9c6f-b59445bf720b": "YubiKey 5 FIPS",
    "c1f9a0bc-1dd2-404a-b27f-8e29047a43fd": "YubiKey 5 NFC FIPS",
    "85203421-48f9-4355-9bc8-8a53846e5083": "YubiKey 5Ci FIPS",
    "d8522d9f-575b-4866-88a9-ba99fa02f35b": "YubiKey Bio",
    "dd86a2da-86a0-4cbe-b462-4bd31f57bc6f": "YubiKey Bio",
    "90636e1f-ef82-43bf-bdcf-5255f139d12f": "YubiKey Bio",
    "7d1351a6-e097-4852-b8bf-c9ac5c9ce4a3": "YubiKey Bio",
    "f8a011f3-8c0a-4d15-8006-17111f9edc7d": "Security Key by Yubico",
    "b92c3f9a-c014-4056-887f-140a2501163b": "Security Key by Yubico",
    "6d44ba9b-f6ec-2e49-b930-0c8fe920cb73": "Security Key NFC by Yubico",
    "149a2021-8ef6-4133-96b8-81f8d5b7f1f5": "Security Key NFC by Yubico",
    "a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa": "Security Key NFC by Yubico",
    "e77e3c64-05e3-428b-8824-0cbeb04b829d": "Security Key NFC by Yubico",
    "0bb43545-fd2c-4185-87dd-feb0b2916ace": "Security Key NFC by Yubico (enterprise)",
    "47ab2fb4-66ac-4184-9ae1-86be814012d5": "Security Key NFC by Yubico (enterprise)",
    # Feitian
    "833b721a-ff5f-4d00-bb2e-bdda3ec01e29": "Feitian ePass FIDO2",
    "ee041bce-25e5-4cdb-8f86-897fd6418464": "Feitian ePass FIDO2-NFC",
    "234cd403-35a2-4cc2-8015-77ea280c77f5": "Feitian ePass FIDO2-NFC",
    "260e3021-482d-442d-838c-7edfbe153b7e": "Feitian ePass FIDO2-NFC Plus",
    "77010bd7-212a-4fc9-b236-d2ca5e9d4084": "Feitian BioPass FIDO2",
    "b6ede29c-3772-412c-8a78-539c1f4c62d2": "Feitian BioPass FIDO2 Plus",
    "4c0cf95d-2f40-43b5-ba42-4c83a11c04ba": "Feitian BioPass FIDO2 Pro",
    "12ded745-4bed-47d4-abaa-e713f51d6393": "Feitian AllinOne FIDO2",
    "3e22415d-7fdf-4ea4-8a0c-dd60c4249b9d": "Feitian iePass FIDO",
    # other hardware
    "42b4fb4a-2866-43b2-9bf7-6c6669c2e5d3": "Google Titan Security Key",
    "8876631b-d4a0-427f-5773-0ec71c9e0279": "SoloKeys Solo",
    "8976631b-d4a0-427f-5773-0ec71c9e0279": "SoloKeys Solo Tap",
    "9876631b-d4a0-427f-5773-0ec71c9e0279": "SoloKeys Somu",
    "ab32f0c6-2239-afbb-c470-d2ef4e254db7": "Token2 FIDO2",
    "eabb46cc-e241-80bf-ae9e-96fa6d2975cf": "Token2 PIN+",
    "2cd2f727-f6ca-44da-8f48-5c2e5da000a2": "Nitrokey 3",
    "ec99db19-cd1f-4c06-a2a9-940f17a6a30b": "Nitrokey 3 NFC",
    "9a03e537-4cbe-4a01-b2e2-242e0dd9a59b": "Nitrokey Passkey",
    "998f358b-2dd2-4cbe-a43a-e8107438dfb3": "OnlyKey",
    "664d9f67-84a2-412a-9ff7-b4f7d8ee6d05": "OpenSK",
    "931327dd-c89b-406c-a81e-ed7058ef36c6": "Swissbit iShield Key",
    "5d629218-d3a5-11ed-afa1-0242ac120002": "Swissbit iShield Key Pro",
    "341e4da9-3c2e-8103-5a9f-aad887135200": "Ledger Nano S",
    "58b44d0b-0a7c-f33a-fd48-f7153c871352": "Ledger Nano S Plus",
    "fcb1bcb4-f370-078c-6993-bc24d0ae3fbe": "Ledger Nano X",
    "3b1adb99-0dfe-46fd-90b8-7f7614a4de2a": "GoTrust Idem Key",
    "3e078ffd-4c54-4586-8baa-a77da113aec5": "Hideez Key 3",
}


def name_of(aaguid: bytes) -> str:
    """Return what a model is called, "" when that is not known. Many say nothing: all zeroes."""
    return NAMES.get(str(uuid.UUID(bytes=aaguid)), "") if len(aaguid) == 16 else ""
