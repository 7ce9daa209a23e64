"""A picture for each category, drawn from its name alone: a print of quarter circles."""

from __future__ import annotations

import hashlib

TILE = 40
COLUMNS, ROWS = 5, 4
SHAPES = (
    "M0 0H40A40 40 0 0 1 0 40Z",
    "M40 0V40A40 40 0 0 1 0 0Z",
    "M40 40H0A40 40 0 0 1 40 0Z",
    "M0 40V0A40 40 0 0 1 40 40Z",
    "M20 4A16 16 0 1 1 19.99 4Z",
)


def picture_of(name: str) -> str:
    """An SVG that is always the same for a name."""
    digest = hashlib.blake2b(name.encode(), digest_size=2 + COLUMNS * ROWS).digest()
    hue = digest[0] * 360 // 256
    second = (hue + 40 + digest[1] * 60 // 256) % 360
    colours = (f"hsl({hue} 48% 84%)", f"hsl({hue} 42% 58%)", f"hsl({second} 55% 70%)", f"hsl({hue} 40% 34%)")
    tiles = "".join(_tile(place, byte, colours) for place, byte in enumerate(digest[2:]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * TILE} {ROWS * TILE}">'
        f'<path fill="{colours[0]}" d="M0 0H{COLUMNS * TILE}V{ROWS * TILE}H0Z"/>{tiles}</svg>'
    )


def _tile(place: int, byte: int, colours: tuple[str, ...]) -> str:
    """One of the shapes, or nothing, at its place."""
    shape, colour = byte % 7, colours[1 + byte // 7 % 3]
    if shape >= len(SHAPES):
        return ""
    row, column = divmod(place, COLUMNS)
    return f'<path fill="{colour}" transform="translate({column * TILE} {row * TILE})" d="{SHAPES[shape]}"/>'
