"""Opaque ids: what they name, and how they are read back."""

from __future__ import annotations

import base64
import binascii
import uuid

import strawberry

from .errors import ApiError


def global_id(name: str, public_id: uuid.UUID) -> strawberry.ID:
    return strawberry.ID(base64.urlsafe_b64encode(f"{name}:{public_id.hex}".encode()).decode())


def kind_of(value: str) -> str:
    """What a global id is the id of; empty where it is none."""
    try:
        return base64.urlsafe_b64decode(value.encode()).decode().partition(":")[0]
    except (ValueError, binascii.Error, UnicodeError):
        return ""


def number_of(name: str, value: str) -> int:
    """Read the id of a row that only staff see.

    Raises:
        ApiError: BAD_ID, if it is not one of ``name``.
    """
    try:
        kind, _, number = base64.urlsafe_b64decode(value.encode()).decode().partition(":")
        if kind == name and number.isascii() and number.isdecimal() and len(number) < 19:
            return int(number)
    except (ValueError, binascii.Error, UnicodeError, AttributeError):
        pass
    raise ApiError("BAD_ID", f"not the id of a {name}")


def public_id_of(name: str, value: str) -> uuid.UUID:
    """Read a global id back.

    Raises:
        ApiError: BAD_ID, if it is not one of ``name``.
    """
    try:
        kind, _, public_id = base64.urlsafe_b64decode(value.encode()).decode().partition(":")
        if kind == name:
            return uuid.UUID(public_id)
    except (ValueError, binascii.Error, UnicodeError, AttributeError):
        pass
    raise ApiError("BAD_ID", f"not the id of a {name}")
