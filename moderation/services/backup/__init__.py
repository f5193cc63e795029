"""Backups: one archive made while comments keep coming, and a service made anew from it."""

from moderation.services.backup.archive import Manifest, read_manifest
from moderation.services.backup.make import Secrets, backup
from moderation.services.backup.restore import Restored, restore

__all__ = ["Manifest", "Restored", "Secrets", "backup", "read_manifest", "restore"]
