"""The file of a backup: a tar with gzip of `manifest.json`, the database, and the secrets where they were asked for."""

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from moderation.errors import SetupError

FORMAT = 1
_PIECE = 1024 * 1024
_DAMAGED = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class Manifest:
    """What the archive holds. `kind`: sqlite or postgresql; `counts`: rows by table; `chain`: PLACE:SEAL of the audit
    trail; `key` tells whether a secret key is the one of then, and nothing else about it."""

    made_at: str
    program: str
    revision: str
    kind: str
    counts: dict[str, int]
    chain: str
    key: str
    sha256: str
    size: int
    secrets: list[str] = field(default_factory=list)
    format: int = FORMAT


@contextmanager
def whole_or_not_at_all(path: Path) -> Iterator[Path]:
    """A file beside this one to write to, readable by its owner only, which takes the name at the end.

    Whatever fails, nothing half-written is left. Raises SetupError for what the disk says.
    """
    if path.exists():
        raise SetupError(f"{path} is there already; name a new file")
    draft = path.with_name(f".{path.name}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield draft
        with open(draft, "rb") as file:
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as error:
        raise SetupError(f"{path} can't be written: {error.strerror or type(error).__name__}") from None
    finally:
        draft.unlink(missing_ok=True)


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pack(out: Path, manifest: Manifest, database: Path, secrets: Mapping[str, bytes]) -> None:
    """Writes the archive."""
    # What pg_dump made is compressed already.
    level = 6 if manifest.kind == "sqlite" else 1
    with tarfile.open(out, "w:gz", compresslevel=level) as tar:
        _add(tar, "manifest.json", json.dumps(asdict(manifest), indent=2).encode())
        for name, content in secrets.items():
            _add(tar, f"secrets/{name}", content)
        tar.add(database, "database", filter=_plain)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(_plain(info), io.BytesIO(content))


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mode, info.uid, info.gid, info.uname, info.gname = 0o600, 0, 0, "", ""
    return info


def read_manifest(path: Path) -> Manifest:
    """What an archive says of itself. Raises SetupError for a file that is none of ours, or damaged."""
    with _opened(path) as tar:
        return _manifest(tar)


def unpack(path: Path, database: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Writes the database to this path, checked by its SHA-256; returns manifest and secrets. Raises SetupError."""
    with _opened(path) as tar:
        manifest = _manifest(tar)
        secrets = {name: _content(tar, f"secrets/{name}").read() for name in manifest.secrets}
        found = hashlib.sha256()
        source = _content(tar, "database")
        with open(database, "wb") as out:
            while piece := source.read(_PIECE):
                found.update(piece)
                _write(out, piece, database)
    if found.hexdigest() != manifest.sha256:
        raise SetupError(f"{path} is damaged: the database in it is not the one that was written")
    return manifest, secrets


def _write(out: IO[bytes], piece: bytes, path: Path) -> None:
    try:
        out.write(piece)
        out.flush()
    except OSError as error:
        raise SetupError(f"{path.parent} can't be written: {error.strerror}") from None


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:gz") as tar:
            yield tar
    except FileNotFoundError:
        raise SetupError(f"there is no {path}") from None
    except _DAMAGED:
        raise SetupError(f"{path} is damaged, or no backup of this program") from None


def _manifest(tar: tarfile.TarFile) -> Manifest:
    manifest = Manifest(**json.loads(_content(tar, "manifest.json").read()))
    if manifest.format != FORMAT:
        raise SetupError("the backup was made by a newer version of this program")
    return manifest


def _content(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(name)
    return file
