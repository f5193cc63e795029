"""Calls as Coral makes them: its JSON, indented by two, and its signature."""

import hashlib
import hmac
import json
from typing import Any

AUTHOR, STORY = "baf4e943-3594-4fcc-b2ba-3e8de7a76352", "245b3856-b0a0-4d2f-a6bb-58c71f18d6a6"
SECRET = "ssec_3f1e5d6b8a7c4f2e9d0b1a2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60"
OTHER = SECRET.replace("3f1e", "0000")


def phase(body: str, **more: Any) -> dict[str, Any]:
    """The request of an external moderation phase for a new comment."""
    return {
        "action": more.get("action", "NEW"),
        "comment": {"body": body, "parentID": more.get("parent")},
        "author": {"id": more.get("author", AUTHOR), "role": more.get("role", "COMMENTER")},
        "story": {"id": STORY, "url": more.get("url", "https://news.example/a-story/")},
        "site": {"id": "a4bede88-2d2c-4424-bc18-4322a9e285a6"},
        "tenantID": "19ba5794-7eeb-4d46-a81b-c00c61672501",
        "tenantDomain": "coral.news.example",
    }  # fmt: skip


def packed(request: Any) -> bytes:
    """A body as Coral writes it."""
    return json.dumps(request, indent=2, ensure_ascii=False).encode()


def headers(data: bytes, *secrets: str) -> dict[str, str]:
    """Coral's headers over these bytes; with several secrets while one is changed for another."""
    signatures = [f"sha256={hmac.new(s.encode(), data, hashlib.sha256).hexdigest()}" for s in secrets or (SECRET,)]
    return {
        "Content-Type": "application/json", "X-Coral-Signature": ",".join(signatures),
        "User-Agent": "Coral Moderation/9.11.8",
    }  # fmt: skip
