"""Names that cannot be guessed."""

from __future__ import annotations

import re

from identity import ids


def test_a_token_is_of_the_length_that_was_asked_for_and_of_every_character() -> None:
    made = {ids.alphanumeric(32) for _ in range(1000)}

    assert len(made) == 1000
    assert all(re.fullmatch("[A-Za-z0-9]{32}", token) for token in made)
    assert len(set("".join(made))) == 62


def test_no_character_is_likelier_than_another() -> None:
    even = bytes(range(256)).translate(ids.SPELLED, ids.UNEVEN).decode()

    assert {even.count(character) for character in set(even)} == {4}
    assert len(set(even)) == 62
