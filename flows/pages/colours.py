"""Colours that stay legible whatever an operator picks: contrast as WCAG 2.2 measures it (success criterion 1.4.3)."""

from __future__ import annotations

LIGHT, DARK = "#ffffff", "#171a21"  # the surfaces of vestibule.css that text in the accent colour stands on
BLACK, WHITE = "#0d1017", "#ffffff"
LEGIBLE = 4.7  # a little above 4.5, for tinted surfaces


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [value / 12.92 if (value := channel / 255) <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for channel in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """Return *colour* with *share* (0 to 1) of *other* in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def legible(colour: str, surface: str) -> str:
    """Return *colour*, moved towards black or white until it can be read on *surface*."""
    towards = WHITE if _luminance(surface) < 0.2 else BLACK
    for step in range(21):
        found = mix(colour, towards, step / 20)
        if contrast(found, surface) >= LEGIBLE:
            return found
    return towards


def ink_on(colour: str) -> str:
    """Return what to write with on *colour*: white where white can be read, else near-black."""
    return WHITE if contrast(WHITE, colour) >= 4.5 else BLACK


def _tokens(accent: str, surface: str) -> str:
    """Buttons keep the operator's colour unless they would vanish on the surface; text in that colour is made legible."""
    button = accent if contrast(accent, surface) >= 1.6 else legible(accent, surface)
    ink = ink_on(button)
    return (
        f"--accent: {button}; --accent-hover: {mix(button, BLACK if ink == WHITE else WHITE, 0.14)}; "
        f"--on-accent: {ink}; --accent-text: {legible(accent, surface)};"
    )


def theme(accent: str, accent_dark: str = "") -> str:
    """Return the style sheet that lays an operator's colours over the built-in ones."""
    dark = accent_dark or mix(accent, WHITE, 0.25)
    return f":root {{ {_tokens(accent, LIGHT)} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_tokens(dark, DARK)} }} }}\n"
