"""SQLite's file is taken away, or another one put in its place, while the service runs."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.store.session import Store
from moderation.store.tables import Comment
from tests.services import a_comment, bearer


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_accepted_into_a_file_that_is_gone(
    app: Flask, client: FlaskClient, store: Store, site: tuple[str, str]
) -> None:
    file = Path(str(store.engine.url.database))
    key = bearer(site[1])
    assert client.post("/v1/comments", json=a_comment("c1"), headers=key).status_code == 202
    store.close()
    app.extensions["moderation"].store.close()  # all that is in the log goes into the file
    kept = file.with_suffix(".kept")
    shutil.copy(file, kept)
    assert client.post("/v1/comments", json=a_comment("c2"), headers=key).status_code == 202
    gone = file.with_suffix(".gone")
    for ending in ("", "-wal", "-shm"):
        file.with_name(file.name + ending).rename(gone.with_name(gone.name + ending))
    refused = client.post("/v1/comments", json=a_comment("c3"), headers=key)
    assert (refused.status_code, refused.get_json()["code"]) == (503, "unavailable")
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "upgrade" in ready.get_json()["parts"]["database"]
    for left in file.parent.glob(f"{file.name}*"):
        left.unlink()
    kept.rename(file)  # a copy is put back: what came after it is not there, and what comes now is
    again = client.post("/v1/comments", json=a_comment("c2"), headers=key)
    assert again.status_code == 202
    assert client.get("/readyz?for=web").status_code == 200
    with store.read() as session:
        assert session.scalars(select(Comment.external_id).order_by(Comment.id)).all() == ["c1", "c2"]
