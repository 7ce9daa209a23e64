"""Models on disk: npy and JSON, hashed, memory-mapped, never pickle."""

from .manifest import Manifest
from .store import load, save

__all__ = ["Manifest", "load", "save"]
