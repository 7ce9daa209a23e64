"""A picture for each category, drawn from its name alone."""

from __future__ import annotations

import hashlib

from django.utils.html import escape


def picture_of(name: str) -> str:
    """An SVG: a colour and a shape that are always the same for a name, and its first letters."""
    digest = hashlib.blake2b(name.encode(), digest_size=4).digest()
    hue, shape = digest[0] * 360 // 256, digest[1] % 3
    fill = f"hsl({hue} 55% 72%)"
    shapes = (
        f'<circle cx="100" cy="80" r="58" fill="{fill}"/>',
        f'<rect x="42" y="24" width="116" height="112" rx="22" fill="{fill}"/>',
        f'<path d="M100 16 164 128H36Z" fill="{fill}" stroke="{fill}" stroke-width="14" stroke-linejoin="round"/>',
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 160" role="img">'
        f'<rect width="200" height="160" fill="hsl({hue} 45% 93%)"/>{shapes[shape]}'
        f'<text x="100" y="98" font-family="sans-serif" font-size="40" font-weight="700" text-anchor="middle" '
        f'fill="hsl({hue} 45% 25%)">{escape(name[:2].title())}</text></svg>'
    )
