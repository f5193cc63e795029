"""The compose file: valid by the published schema, and what it starts is what the tests start."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from moderation.config import Settings
from moderation.store import schema
from moderation.store.queries import upsert
from moderation.store.session import Store, now_ms
from moderation.store.tables import WorkerState
from tests import commands

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("migrate", "web", "worker")
LONG_RUNNING = sorted(set(SERVICES) - {"migrate"})
SECRETS = ("POSTGRES_PASSWORD", "MODERATION_SECRET_KEY")


def test_it_follows_the_published_schema() -> None:
    published = json.loads((ROOT / "tests/schemas/compose-spec.json").read_text("utf-8"))
    Draft202012Validator.check_schema(published)
    assert [error.message for error in Draft202012Validator(published).iter_errors(COMPOSE)] == []


def test_the_commands_are_those_that_the_tests_run() -> None:
    assert {name: tuple(SERVICES[name]["command"]) for name in OURS} == {
        "migrate": commands.UPGRADE,
        "web": commands.web("0.0.0.0:8000"),
        "worker": commands.WORKER,
    }


def test_it_has_these_parts() -> None:
    assert set(SERVICES) == {"postgres", "valkey", *OURS}
    assert SERVICES["postgres"]["image"] == "postgres:16"
    assert SERVICES["valkey"]["image"] == "valkey/valkey:8"


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_each_long_running_part_says_how_it_is(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", OURS)
def test_ours_run_without_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True


def test_the_image_runs_as_the_same_user() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    last_stage = dockerfile.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", last_stage, re.M) == [SERVICES["web"]["user"]]
    assert "HEALTHCHECK" in last_stage
    assert "constraints.txt" in dockerfile
    for secret in SECRETS:
        assert secret not in dockerfile


def test_the_worker_scales() -> None:
    assert all("container_name" not in service for service in SERVICES.values())
    assert "ports" not in SERVICES["worker"]
    assert SERVICES["worker"]["deploy"]["replicas"] >= 1


def test_parts_wait_for_what_they_need() -> None:
    for name in ("web", "worker"):
        assert {part: wants["condition"] for part, wants in SERVICES[name]["depends_on"].items()} == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "valkey": "service_healthy",
        }


def test_data_outlives_the_containers() -> None:
    kept = {volume.partition(":")[0] for name in ("postgres", "valkey") for volume in SERVICES[name]["volumes"]}
    assert kept == set(COMPOSE["volumes"])


def test_secrets_come_from_the_environment_and_are_required() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for secret in SECRETS:
        assert f"${{{secret}:?" in text
        assert f"${{{secret}:-" not in text


@pytest.mark.parametrize("name", OURS)
def test_every_setting_gets_through(name: str) -> None:
    wanted = {f"MODERATION_{field.upper()}" for field in Settings.model_fields} - {"MODERATION_REDIS_SERVER"}
    assert set(SERVICES[name]["environment"]) == wanted


@pytest.mark.parametrize(("age_ms", "status"), [(1_000, 0), (60_000, 1), (None, 1)])
def test_the_workers_check_reads_its_sign_of_life(tmp_path: Path, age_ms: int | None, status: int) -> None:
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    store = Store(url, pool_size=1)
    schema.upgrade(store)
    if age_ms is not None:
        row = {"name": f"{Settings().host}:7", "seen_at": now_ms() - age_ms, "scorer": "linear@1", "scorer_error": None}
        with store.write() as session:
            upsert(session, WorkerState, row, ["name"], row)
    store.close()
    kind, python, option, code = SERVICES["worker"]["healthcheck"]["test"]
    assert (kind, python, option) == ("CMD", "python", "-c")
    done = subprocess.run(
        [sys.executable, "-c", code], env={"MODERATION_DATABASE_URL": url, "PATH": ""}, capture_output=True, cwd=ROOT
    )
    assert done.returncode == status, done.stderr.decode()
