"""What an artifact's folder must hold, to the byte."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reco_engine.errors import ArtifactError

FORMAT = 1
FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\.npy", re.ASCII)
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """Names the recommender, its settings, and each file's size and sha256."""

    kind: str
    settings: dict[str, Any]
    files: dict[str, tuple[int, str]]

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same model gives the same bytes."""
        content = {
            "format": FORMAT,
            "kind": self.kind,
            "settings": self.settings,
            "files": {name: list(entry) for name, entry in sorted(self.files.items())},
        }
        return json.dumps(content, sort_keys=True, indent=1, allow_nan=False).encode()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """Read and check a folder's manifest.

        Raises:
            ArtifactError: If it is missing, unreadable, of an unknown format, or names a file it may not.
        """
        path = directory / MANIFEST
        try:
            content = json.loads(path.read_bytes())
            if content["format"] != FORMAT:
                raise ArtifactError(f"artifact format {content['format']!r} is not known here; {FORMAT} is")
            manifest = cls(
                kind=str(content["kind"]),
                settings=dict(content["settings"]),
                files={str(name): (int(size), str(digest)) for name, (size, digest) in content["files"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{MANIFEST} is missing or damaged: {error}") from error
        for name in manifest.files:
            if not FILE_NAME.fullmatch(name):
                raise ArtifactError(f"the manifest names a file it may not: {name!r}")
        return manifest
