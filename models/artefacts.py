"""Write and read a fitted scorer as files that can't run code: safetensors, ONNX, JSON and Markdown, never pickle.

The manifest lists each file with its size and SHA-256 and seals itself with one of its own. Reading takes each file
once, checks it, and only then parses it. The checksums find damage; who can write the folder can make new ones, which
is why nothing that could run code or open another file is taken, listed or not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.scorer import ArtefactError

FORMAT_VERSION = 2
WEIGHTS, MANIFEST, CARD = "weights.safetensors", "manifest.json", "CARD.md"
_BESIDE = {MANIFEST, CARD, "README.md", "figures.json"}  # files that no scorer reads
_REQUIRED = {"format_version", "scorer", "scorer_version", "attributes", "files", "seal"}
_SCORING = ("format_version", "scorer", "scorer_version", "attributes", "features", "files")
_LISTED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*\.(safetensors|onnx)|tokenizer\.json")
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".npy", ".npz")
_MANIFEST_BYTES = 4 << 20

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Artefact:
    """What was read: the manifest, the arrays of each safetensors file, and the bytes of each other file, by name."""

    manifest: dict[str, Any]
    arrays: dict[str, Arrays]
    files: dict[str, bytes]


def write_artefact(
    folder: Path,
    arrays: Mapping[str, Mapping[str, NDArray[Any]]],
    facts: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """Save `arrays` (name of a safetensors file -> its arrays) and `files` (name -> bytes) with a manifest of `facts`.

    Returns the manifest. The same input gives the same bytes. Raises ValueError for a file name that no artefact may
    hold, OSError if the folder can't be written.
    """
    contents = dict(files or {})
    for name, parts in arrays.items():
        contents[name] = save({key: np.ascontiguousarray(array) for key, array in sorted(parts.items())})
    if bad := [name for name in contents if not _LISTED.fullmatch(name)]:
        raise ValueError(f"an artefact can't hold a file {bad[0]!r}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    listed = {name: {"sha256": _digest(data), "bytes": len(data)} for name, data in sorted(contents.items())}
    manifest = {"format_version": FORMAT_VERSION, "files": listed, **facts}
    write_manifest(folder, manifest)
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json` as readable, stable JSON with a new seal."""
    (folder / MANIFEST).write_bytes(_render(manifest))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an artefact; raises ArtefactError if it is missing, damaged or of another format version."""
    data = _read(folder, MANIFEST, _MANIFEST_BYTES)
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"artefact manifest {MANIFEST} is not JSON") from error
    if not isinstance(manifest, dict):
        raise ArtefactError(f"artefact manifest {MANIFEST} is not a JSON object")
    found = manifest.get("format_version")
    if found != FORMAT_VERSION:
        raise ArtefactError(f"artefact has format version {str(found)[:20]!r}, this program reads {FORMAT_VERSION}")
    if missing := sorted(_REQUIRED - manifest.keys()):
        raise ArtefactError(f"artefact manifest {MANIFEST} lacks {', '.join(missing)}")
    if not _is_sealed(manifest, data):
        raise ArtefactError(f"artefact manifest {MANIFEST} does not match its own seal")
    attributes = manifest["attributes"]
    if not isinstance(attributes, list) or not all(isinstance(name, str) for name in attributes):
        raise ArtefactError(f"artefact manifest {MANIFEST} names no attributes")
    return manifest


def manifest_digest(folder: Path) -> str:
    """SHA-256 of all in the manifest that a score depends on (files, versions, features, attributes), for a pin.

    Figures and operating points may change without a new fit and are not in it. Raises ArtefactError.
    """
    manifest = read_manifest(folder)
    return _digest(json.dumps({name: manifest.get(name) for name in _SCORING}, sort_keys=True).encode())


def read_artefact(folder: Path) -> Artefact:
    """Every listed file, checked against its size and SHA-256 before it is parsed.

    Raises ArtefactError, with one line, for a file that is missing, altered, not listed, or that could hold a pickle,
    and for another format version.
    """
    manifest = read_manifest(folder)
    listed = manifest["files"]
    if not isinstance(listed, dict) or not listed:
        raise ArtefactError(f"artefact manifest {MANIFEST} lists no files")
    for name in listed:
        if not _LISTED.fullmatch(name):
            raise ArtefactError(f"artefact manifest {MANIFEST} lists {_shown(name)}, which no artefact may hold")
    _refuse_strangers(folder, set(listed))
    contents = {name: _checked(folder, name, listed[name]) for name in listed}
    arrays = {name: _arrays(name, data) for name, data in contents.items() if name.endswith(".safetensors")}
    return Artefact(manifest, arrays, {name: data for name, data in contents.items() if name not in arrays})


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _render(manifest: Mapping[str, Any]) -> bytes:
    facts = {name: value for name, value in manifest.items() if name != "seal"}
    options: dict[str, Any] = {"indent": 1, "sort_keys": True, "ensure_ascii": False, "allow_nan": False}
    seal = _digest(json.dumps(facts, **options).encode())
    return (json.dumps({**facts, "seal": seal}, **options) + "\n").encode()


def _is_sealed(manifest: Mapping[str, Any], data: bytes) -> bool:
    try:
        return _render(manifest) == data
    except (ValueError, RecursionError):  # a number that is none, a lone surrogate, too deep
        return False


def _shown(name: str) -> str:
    """A name for a message: on one line, and short."""
    return ascii(name[:80])


def _read(folder: Path, name: str, most: int) -> bytes:
    """At most `most` bytes and one more of a regular file of this folder."""
    path = folder / name
    try:
        if path.resolve().parent != folder.resolve():
            raise ArtefactError(f"artefact file {name} is a link that leads out of its folder")
        if not path.is_file():
            raise ArtefactError(f"artefact file {name} is {'not a file' if path.exists() else 'missing'}")
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ArtefactError(f"artefact file {name} can't be read: {reason}") from error


def _refuse_strangers(folder: Path, listed: set[str]) -> None:
    """Nothing else may lie in the folder, least of all a pickle."""
    try:
        found = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise ArtefactError(f"artefact folder can't be listed: {error.strerror}") from error
    for name in found:
        if name.lower().endswith(_PICKLES):
            raise ArtefactError(f"artefact folder holds {_shown(name)}, which may be a pickle")
        if name not in listed | _BESIDE:
            raise ArtefactError(f"artefact folder holds {_shown(name)}, which its manifest does not list")
        _refuse_pickle(name, _read(folder, name, 16))


def _refuse_pickle(name: str, data: bytes) -> None:
    """By the first bytes. A safetensors file may begin alike (with the length of its header), but then has a brace."""
    pickle = data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and data[8:9] != b"{"
    if pickle or data.startswith((b"PK\x03\x04", b"\x93NUMPY")):
        raise ArtefactError(f"artefact file {name} is a pickle or an archive that may hold one")


def _checked(folder: Path, name: str, expected: Any) -> bytes:
    size = expected.get("bytes") if isinstance(expected, dict) else None
    if not isinstance(size, int) or size < 0:
        raise ArtefactError(f"artefact manifest {MANIFEST} gives no size of {name}")
    data = _read(folder, name, size)
    if len(data) != size:
        raise ArtefactError(f"artefact file {name} does not have the size in {MANIFEST}")
    if _digest(data) != expected.get("sha256"):
        raise ArtefactError(f"artefact file {name} does not match its checksum in {MANIFEST}")
    # ONNX names a file with tensors outside by an entry with this key; strings in it are never split.
    if name.endswith(".onnx") and b"location" in data:
        raise ArtefactError(f"artefact file {name} asks for data in another file")
    return data


def _arrays(name: str, data: bytes) -> Arrays:
    try:
        arrays = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtefactError(f"artefact file {name} is not a safetensors file that numpy can hold") from error
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ArtefactError(f"artefact file {name} has numbers in {_shown(key)} that are not finite")
    return arrays
