"""Settings: the only reader of the environment. Every bad value is listed at once."""

import secrets
import socket
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from moderation.errors import SetupError

Seconds = Annotated[float, Field(ge=0)]


class Settings(BaseSettings):
    """One field a setting; the variable is MODERATION_ and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix="MODERATION_", extra="ignore", frozen=True)

    database_url: str = Field(
        default="sqlite:///var/moderation.sqlite3", description="SQLAlchemy address of the database"
    )
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="address of Redis or Valkey")
    redis_server: str = Field(default="", description="program that `moderation up` starts as its private Redis")
    secret_key: str = Field(
        default="", description="signs session cookies and hashes addresses; at least 32 characters"
    )
    scorer: str = Field(default="cascade", description="name of the classifier")
    artefacts: str = Field(default="", description="folder with one folder of fitted files a classifier, if not ours")
    web_threads: int = Field(default=16, ge=1, le=256, description="requests that one web process works on at once")
    web_processes: int = Field(default=1, ge=1, le=64, description="web processes")
    grace_seconds: Seconds = Field(default=10.0, description="how long the site hears nothing of a moderator's ruling")
    claim_seconds: Seconds = Field(default=600.0, description="how long a claim lasts")
    lease_seconds: Seconds = Field(default=30.0, description="how long a worker may keep a comment")
    sweep_seconds: Annotated[float, Field(gt=0)] = Field(default=5.0, description="pause between two sweeps")
    webhook_timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        default=10.0, description="limit of one webhook call"
    )
    webhook_allow_private: bool = Field(default=False, description="let webhooks go to private and loopback addresses")
    session_hours: Annotated[float, Field(gt=0)] = Field(default=12.0, description="how long a sign-in lasts")
    secure_cookies: bool = Field(default=False, description="send the session cookie over https only")
    trusted_proxies: int = Field(default=0, ge=0, le=8, description="reverse proxies whose X-Forwarded-* headers count")
    sign_in_rate: str = Field(default="10 per minute", description="tries to sign in, per address")
    public_rate: str = Field(default="10 per minute", description="comments by the public form, per address")
    akismet_site: str = Field(
        default="", description="name or id of the site that Akismet calls without any key belong to; none: refused"
    )
    demo: bool = Field(default=False, description="serve the demo article at /demo")
    base_url: str = Field(default="", description="public address of this service, without a slash at the end")

    @field_validator("database_url")
    @classmethod
    def _on_disk(cls, url: str) -> str:
        if url.startswith("sqlite") and (url.endswith(("://", "///")) or ":memory:" in url):
            raise ValueError("must name a file, since several processes share the database")
        return url

    @property
    def host(self) -> str:
        """Name of this machine or container; leases carry it."""
        return socket.gethostname()


def load_settings() -> Settings:
    """Settings from the environment. Raises SetupError naming every bad variable in one line."""
    try:
        return Settings()
    except ValidationError as error:
        bad = "; ".join(
            f"MODERATION_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ').lower()}"
            for e in error.errors()
        )
        raise SetupError(f"bad settings: {bad}") from None


def read_secret(path: Path) -> str:
    """The secret in this file, made on first use with mode 0600."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()
