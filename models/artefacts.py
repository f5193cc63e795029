"""Write and read a fitted scorer as files that can't run code: safetensors, JSON and Markdown, never pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.scorer import ArtefactError

FORMAT_VERSION = 1
WEIGHTS, MANIFEST, CARD = "weights.safetensors", "manifest.json", "CARD.md"
_REQUIRED = {"format_version", "scorer", "scorer_version", "features", "attributes", "files"}

Arrays = dict[str, NDArray[Any]]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json` as readable, stable JSON."""
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def write_artefact(folder: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Save the arrays and a manifest of `facts` plus the format version and each file's SHA-256; returns the manifest.

    The same arrays give the same bytes. Raises OSError if the folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = save({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())})
    (folder / WEIGHTS).write_bytes(data)
    files = {WEIGHTS: {"sha256": _digest(data), "bytes": len(data)}}
    manifest = {"format_version": FORMAT_VERSION, "files": files, **facts}
    write_manifest(folder, manifest)
    return manifest


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"artefact file {path.name} can't be read: {error.strerror or error}") from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an artefact; raises ArtefactError if it is missing, damaged or of another format version."""
    try:
        manifest = json.loads(_read(folder / MANIFEST))
    except ValueError as error:
        raise ArtefactError(f"artefact manifest {MANIFEST} is not JSON") from error
    if not isinstance(manifest, dict):
        raise ArtefactError(f"artefact manifest {MANIFEST} is not a JSON object")
    found = manifest.get("format_version")
    if found != FORMAT_VERSION:
        raise ArtefactError(f"artefact has format version {found}, this program reads {FORMAT_VERSION}")
    if missing := sorted(_REQUIRED - manifest.keys()):
        raise ArtefactError(f"artefact manifest {MANIFEST} lacks {', '.join(missing)}")
    return manifest


def read_artefact(folder: Path) -> tuple[dict[str, Any], Arrays]:
    """The manifest and the arrays; every file is checked against its SHA-256 before it is parsed.

    Raises ArtefactError, with one line, for a missing file, a wrong checksum or another format version.
    """
    manifest = read_manifest(folder)
    listed = manifest["files"]
    if not isinstance(listed, dict) or set(listed) != {WEIGHTS}:
        raise ArtefactError(f"artefact manifest {MANIFEST} must list {WEIGHTS} and no other file")
    data = _read(folder / WEIGHTS)
    expected = listed[WEIGHTS].get("sha256") if isinstance(listed[WEIGHTS], dict) else None
    if _digest(data) != expected:
        raise ArtefactError(f"artefact file {WEIGHTS} does not match its checksum in {MANIFEST}")
    try:
        return manifest, load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ArtefactError(f"artefact file {WEIGHTS} is not a safetensors file") from error
