"""Check an erasure's receipt without the shop: ``python -m shop_reco.privacy.verify FILE [--key HEX]``.

Needs neither Django nor a network. The file proves itself: every byte of it is fixed by the hashes and by the
signature, whose public half it carries. That the key is the shop's is shown by comparing it with the one that the
shop publishes (``--key``). ``--previous FILE`` also checks that one receipt follows another in the shop's chain.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMAT = 1


def canonical(value: Any) -> str:
    """The one way to write a document: keys in order, no space, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def problems_of(content: bytes, *, key: str | None = None, previous: bytes | None = None) -> list[str]:
    """What is wrong with a receipt's file; empty where nothing is.

    Args:
        key: The public key (Ed25519, hex) that must have signed it; None: the one in the file.
        previous: The file of the receipt that must stand before this one in the chain.
    """
    try:
        file = json.loads(content)
        if content != (canonical(file) + "\n").encode():
            return ["the file is not written as the shop wrote it"]
        return [*_problems(file, key), *(_unchained(file, previous) if previous is not None else ())]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ["the file is no receipt"]


def _problems(file: Mapping[str, Any], key: str | None) -> list[str]:
    found = []
    if set(file) != {"public_key", "receipt", "updates"}:
        found.append("the file has parts that do not belong in it, or lacks some")
    if file["receipt"]["document"]["format"] != FORMAT:
        found.append(f"the receipt is not of format {FORMAT}, which is the one known here")
    if key is not None and key.strip().lower() != file["public_key"]:
        found.append("it was signed with another key than the one given")
    before = ""
    for place, entry in enumerate([file["receipt"], *file["updates"]]):
        which, document = f"update {place}" if place else "the receipt", entry["document"]
        if set(entry) != {"document", "sha256", "signature"}:
            found.append(f"{which} has parts that do not belong in it")
        if sha256_of(canonical(document)) != entry["sha256"]:
            found.append(f"{which} is not what its hash says")
        if place and (document["previous_sha256"], document["receipt"]) != (
            before,
            file["receipt"]["document"]["receipt"],
        ):
            found.append(f"{which} does not follow what stands before it")
        if not signed(canonical(document), entry["signature"], file["public_key"]):
            found.append(f"{which} is not signed by this key")
        before = entry["sha256"]
    return found


def _unchained(file: Mapping[str, Any], previous: bytes) -> list[str]:
    earlier = json.loads(previous)["receipt"]
    same = earlier["sha256"] == sha256_of(canonical(earlier["document"]))
    follows = file["receipt"]["document"]["previous_sha256"] == earlier["sha256"]
    return [] if same and follows else ["it does not follow the receipt given as the one before"]


def signed(document: str, signature: str, public_key: str) -> bool:
    """Whether the owner of an Ed25519 key (hex) signed this text; raises ImportError without ``cryptography``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(
            bytes.fromhex(signature), document.encode()
        )
    except (InvalidSignature, ValueError):
        return False
    return canonical_hex(signature) and canonical_hex(public_key)


def canonical_hex(text: str) -> bool:
    """Hexadecimal has two cases and allows spaces; only one spelling counts."""
    return text == bytes.fromhex(text).hex()


def told(content: bytes) -> list[str]:
    """What a receipt says, in lines for people."""
    file = json.loads(content)
    document = file["receipt"]["document"]
    rows = ", ".join(f"{name} {n}" for name, n in sorted(document["rows"].items()) if n)
    lines = [
        f"receipt {document['receipt']} of {document['erased_at']}",
        f"scope: {document['scope']}",
        f"rows removed: {rows or 'none'}",
    ]
    for version in document["versions"]:
        lines.append(f"model version {version['version']} ({version['kind']}, {version['state']}): {version['rows']}")
    for update in file["updates"]:
        noted, gone = update["document"], ", ".join(update["document"]["gone"]) or "none"
        what = f"sessions cleared: {noted['sessions']}" if "sessions" in noted else f"versions gone: {gone}"
        lines.append(f"{noted['noted_at']}: {what}")
    return [*lines, f"key: {file['public_key']}"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", help="the public key that the shop publishes, in hex")
    parser.add_argument("--previous", type=Path, help="the receipt before this one")
    options = parser.parse_args(arguments)
    content = options.file.read_bytes()
    previous = options.previous.read_bytes() if options.previous else None
    try:
        problems = problems_of(content, key=options.key, previous=previous)
    except ImportError:
        sys.stderr.write("the signature cannot be checked here: pip install cryptography\n")
        return 2
    lines = [*(problems or told(content)), "NOT VALID" if problems else "valid"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
