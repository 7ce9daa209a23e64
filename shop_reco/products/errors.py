"""Why a row of the catalogue is refused: a code for programs, a field and a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProductError(ValueError):
    """``message`` goes on from the field's name."""

    code: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field} {self.message}"
