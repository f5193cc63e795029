"""Which of the installed distributions the service itself runs with."""

from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = "comment-moderation"


def runtime() -> set[NormalizedName]:
    """Names of all that the service needs, directly or not, on this machine; without itself and without its extras."""
    found: dict[NormalizedName, set[str]] = {}
    waiting = [Requirement(ROOT)]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        extras = wanted.extras | {""}
        if extras <= found.get(name, set()):
            continue
        found[name] = found.get(name, set()) | extras
        waiting += [need for need in _needs(name) if _applies(need, found[name])]
    return set(found) - {canonicalize_name(ROOT)}


def _needs(name: str) -> list[Requirement]:
    try:
        return [Requirement(need) for need in distribution(name).requires or ()]
    except PackageNotFoundError:
        raise SystemExit(f"{name} is not installed: run `make install`") from None


def _applies(need: Requirement, extras: set[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras)
