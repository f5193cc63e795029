"""A network that swallows all packets: both sides give up by themselves, and go on when it is mended."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.faults.place import line
from benchmarks.faults.server import Server
from moderation.store.session import Store

# Locks a row, waits for a word, asks for more in the same transaction; then begins anew until that works.
CUT_OFF = """
import sys
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from moderation.store.session import Store
store = Store(sys.argv[1], pool_size=2)
try:
    with store.write() as session, store.read() as idle:
        session.execute(text("UPDATE locked SET n = n + 1"))
        idle.execute(text("SELECT 1"))
        print("locked", flush=True)
        sys.stdin.readline()
        session.execute(text("SELECT 1"))
    print("never", flush=True)
except OperationalError:
    print("gave up", flush=True)
try:
    with store.read() as session:
        session.execute(text("SELECT 1"))
    print("never", flush=True)
except OperationalError:
    print("refused", flush=True)
sys.stdin.readline()
with store.read() as session:
    print(session.scalar(text("SELECT n FROM locked")), flush=True)
"""


@pytest.mark.namespaces
@pytest.mark.postgresql
def test_both_sides_of_a_silent_network_give_up(place: Path) -> None:
    with line() as wire:
        server = Server(place / "postgresql", wire)
        here = Store(server.url)
        with here.write() as session:
            session.execute(text("CREATE TABLE locked (n int)"))
            session.execute(text("INSERT INTO locked VALUES (0)"))
        command = wire.inside(wire.worker, sys.executable, "-c", CUT_OFF, server.url_by_line)
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as there:
            assert there.stdin is not None
            assert there.stdout is not None
            try:
                assert there.stdout.readline() == "locked\n"
                wire.swallow()
                there.stdin.write("ask\n")
                there.stdin.flush()
                with here.write() as session:  # the server lets go of the row of the one that it does not hear any more
                    session.execute(text("SET LOCAL lock_timeout = '60s'"))
                    session.execute(text("UPDATE locked SET n = n + 10"))
                assert there.stdout.readline() == "gave up\n"
                assert there.stdout.readline() == "refused\n"
                wire.mend()
                there.stdin.write("again\n")
                there.stdin.flush()
                assert there.stdout.readline() == "10\n"
            finally:
                there.kill()
                here.close()
                server.stop()
