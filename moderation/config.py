"""Settings: the only reader of the environment. Every bad value is listed at once."""

import os
import secrets
import socket
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

from limits import parse_many
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from moderation.errors import SetupError

Seconds = Annotated[float, Field(ge=0)]
_DATABASES = "sqlite:////PATH or postgresql://USER:PASSWORD@HOST/NAME"
_MARKS = "marks in a password are written as %XX"


class Settings(BaseSettings):
    """One field a setting; the variable is MODERATION_ and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix="MODERATION_", extra="ignore", frozen=True)

    database_url: str = Field(
        default="sqlite:///var/moderation.sqlite3", repr=False, description="SQLAlchemy address of the database"
    )
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", repr=False, description="address of Redis or Valkey")
    redis_server: str = Field(default="", description="program that `moderation up` starts as its private Redis")
    secret_key: str = Field(
        default="", repr=False, description="signs session cookies and hashes addresses; at least 32 characters"
    )
    former_secret_keys: str = Field(
        default="", repr=False,
        description="secret keys of before, newest first, with spaces between: older audit events need them",
    )  # fmt: skip
    scorer: str = Field(default="cascade", description="name of the classifier")
    artefacts: str = Field(default="", description="folder with one folder of fitted files a classifier, if not ours")
    web_threads: int = Field(default=16, ge=1, le=256, description="requests that one web process works on at once")
    web_processes: int = Field(default=1, ge=1, le=64, description="web processes")
    worker_processes: int = Field(default=1, ge=1, le=64, description="processes of one worker that decide comments")
    grace_seconds: Seconds = Field(default=10.0, description="how long the site hears nothing of a moderator's ruling")
    claim_seconds: Seconds = Field(default=600.0, description="how long a claim lasts")
    lease_seconds: Seconds = Field(default=30.0, description="how long a worker may keep a comment")
    sweep_seconds: Annotated[float, Field(gt=0)] = Field(default=5.0, description="pause between two sweeps")
    webhook_timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        default=10.0, description="limit of one webhook call"
    )
    webhook_allow_private: bool = Field(default=False, description="let webhooks go to private and loopback addresses")
    session_hours: Annotated[float, Field(gt=0)] = Field(default=12.0, description="how long a sign-in lasts")
    session_idle_hours: Annotated[float, Field(gt=0)] = Field(
        default=4.0, description="how long a session of the pages stays open without use"
    )
    passwords: bool = Field(default=True, description="let people sign in with a password")
    oidc_issuer: str = Field(default="", description="address of the OpenID Connect service that people sign in with")
    oidc_client_id: str = Field(default="", description="name of this service there")
    oidc_client_secret: str = Field(default="", repr=False, description="its secret there")
    oidc_name: str = Field(default="single sign-on", description="what the button on the sign-in page calls it")
    smtp_host: str = Field(default="", description="mail server for letters to moderators; none: links are handed over")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="its port")
    smtp_user: str = Field(default="", description="user name there, if it wants one")
    smtp_password: str = Field(default="", repr=False, description="password there")
    smtp_from: str = Field(default="", description="address that the letters come from")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="`starttls`, `tls` or `none`; without what is set here nothing is sent"
    )
    secure_cookies: bool = Field(default=False, description="send the session cookie over https only")
    trusted_proxies: int = Field(default=0, ge=0, le=8, description="reverse proxies whose X-Forwarded-* headers count")
    sign_in_rate: str = Field(default="10 per minute", description="tries to sign in, per address")
    public_rate: str = Field(default="10 per minute", description="comments by the public form, per address")
    site_key_rate: str = Field(
        default="", description="calls with one site key, such as `600 per minute`; none: no limit"
    )
    akismet_site: str = Field(
        default="", description="name or id of the site that Akismet calls without any key belong to; none: refused"
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="`text`, or `json`: one object a line, on standard error"
    )
    metrics_token: str = Field(
        default="", repr=False, description="token that Prometheus shows at /metrics; none: only this machine reads it"
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="port at which a worker serves its own /metrics; 0: none"
    )
    metrics_folder: str = Field(
        default="", description="folder in memory where the processes of one machine count together; `up` makes one"
    )
    demo: bool = Field(default=False, description="serve the demo article at /demo")
    base_url: str = Field(default="", description="public address of this service, without a slash at the end")

    @field_validator("database_url")
    @classmethod
    def _on_disk(cls, url: str) -> str:
        if url.startswith("sqlite") and (url.endswith(("://", "///")) or ":memory:" in url):
            raise ValueError("must name a file, since several processes share the database")
        try:
            known = make_url(url).get_backend_name() in ("sqlite", "postgresql", "postgres")
        except (ArgumentError, ValueError):
            known = False
        if not known:
            raise ValueError(f"must look like {_DATABASES}; {_MARKS}")
        return url

    @field_validator("redis_url")
    @classmethod
    def _readable(cls, url: str) -> str:
        try:
            urlsplit(url).port  # noqa: B018 (what the client trips over: it would quote half of the password)
        except ValueError:
            raise ValueError(f"must look like redis://:PASSWORD@HOST:PORT/0; {_MARKS}") from None
        return url

    @field_validator("sign_in_rate", "public_rate", "site_key_rate")
    @classmethod
    def _a_rate(cls, rate: str) -> str:
        if rate:
            try:
                parse_many(rate)
            except ValueError:
                raise ValueError("must be a rate such as 10 per minute") from None
        return rate

    @property
    def host(self) -> str:
        """Name of this machine or container; leases carry it."""
        return socket.gethostname()

    @property
    def https(self) -> bool:
        """Whether people reach this service by https only."""
        return self.secure_cookies or self.base_url.startswith("https://")

    @property
    def secret_keys(self) -> list[str]:
        """The secret key of now, then those of before, the newest first."""
        return [self.secret_key, *self.former_secret_keys.split()]

    def gaps(self) -> list[str]:
        """What is set only halfway, a sentence each: it would fail a person much later."""
        missing = []
        if self.smtp_host and not self.smtp_from:
            missing.append("MODERATION_SMTP_HOST needs MODERATION_SMTP_FROM")
        if self.oidc_issuer and not self.oidc_client_id:
            missing.append("MODERATION_OIDC_ISSUER needs MODERATION_OIDC_CLIENT_ID")
        if not self.passwords and not self.oidc_issuer:
            missing.append("MODERATION_PASSWORDS can be off only with MODERATION_OIDC_ISSUER")
        return missing


def load_settings() -> Settings:
    """Settings from the environment, else from the file that MODERATION_SETTINGS_FILE names.

    Raises SetupError naming every bad variable in one line.
    """
    file = os.environ.get("MODERATION_SETTINGS_FILE")
    if file and not Path(file).is_file():
        raise SetupError(f"MODERATION_SETTINGS_FILE: there is no {file}")
    try:
        return Settings(_env_file=file or None)  # type: ignore[call-arg]
    except ValidationError as error:
        bad = "; ".join(
            f"MODERATION_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ').lower()}"
            for e in error.errors()
        )
        raise SetupError(f"bad settings: {bad}") from None


def installed(folder: Path, *, complete: bool = True) -> Settings:
    """Settings as `moderation up` has them on this data folder; what the environment says wins. Nothing is made.

    Raises SetupError where database or secret key are missing, unless what is not `complete` will do.
    """
    settings, found = load_settings(), dict[str, str]()
    if "database_url" not in settings.model_fields_set:
        found["database_url"] = f"sqlite:///{quote(str(folder.absolute()))}/moderation.sqlite3"
        if complete and not (folder / "moderation.sqlite3").exists():
            raise SetupError(f"there is no database in {folder}; name the data folder, or set MODERATION_DATABASE_URL")
    if not settings.secret_key:
        if (folder / "secret_key").exists():
            found["secret_key"] = read_secret(folder / "secret_key")
        elif complete:
            raise SetupError(f"there is no secret_key in {folder}; name the data folder, or set MODERATION_SECRET_KEY")
    if "redis_url" not in settings.model_fields_set and (folder / "redis" / "address").exists():
        found["redis_url"] = (folder / "redis" / "address").read_text("utf-8")
    return settings.model_copy(update=found)


def read_secret(path: Path) -> str:
    """The secret in this file, made on first use with mode 0600."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()
