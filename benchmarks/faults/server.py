"""A PostgreSQL server that is started again whenever it ends, as a service manager would do it."""

import os
import pwd
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import psycopg

from benchmarks.faults.place import Line
from moderation.processes import dying_with
from tests.conftest import postgresql_programs
from tests.databases import until


class Server:
    """Listens on a socket in its folder and, where there is a line, on this inside its namespace."""

    def __init__(self, folder: Path, line: Line | None) -> None:
        programs = postgresql_programs()
        assert programs is not None
        folder.mkdir()
        self._folder, self._data = folder, folder / "data"
        self._user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        subprocess.run(
            [programs / "initdb", "-D", self._data, "-U", "test", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8",
             "--wal-segsize=1"], user=self._user, check=True, capture_output=True,
        )  # fmt: skip
        self._command = [
            str(programs / "postgres"), "-D", str(self._data), "-k", str(folder), "-c", "max_connections=100",
            "-c", "min_wal_size=2MB", "-c", f"listen_addresses={line.address if line else ''}",
        ]  # fmt: skip
        if self._user:
            as_user = [f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups", "--pdeathsig", "KILL"]
            self._command = ["setpriv", *as_user, *self._command]
        if line is not None:
            with open(self._data / "pg_hba.conf", "a", encoding="ascii") as access:
                access.write(f"host all all {line.network} trust\n")
            self._command = line.inside(line.database, *self._command)
            self.url_by_line = f"postgresql+psycopg://test@{line.address}/postgres"
        self.starts = 0
        self._ending = threading.Event()
        self._log = folder.parent / "postgresql.log"
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()
        until(self.answers, 60, "PostgreSQL")
        self.url = f"postgresql+psycopg://test@/postgres?host={folder}"

    def _keep(self) -> None:
        while not self._ending.is_set():
            with open(self._log, "ab") as log:
                process = subprocess.Popen(self._command, stdout=log, stderr=log, preexec_fn=dying_with(os.getpid()))
            self.starts += 1
            while process.poll() is None and not self._ending.wait(0.05):
                pass
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(30)
            self._ending.wait(0.2)

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(f"host={self._folder} user=test dbname=postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def postmaster(self) -> int:
        """Its pid."""
        until(self.answers, 60, "PostgreSQL")
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def backends(self) -> list[int]:
        """Pids of the processes that serve the service's connections."""
        until(self.answers, 60, "PostgreSQL")
        with psycopg.connect(f"host={self._folder} user=test dbname=postgres") as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()
        return [int(pid) for (pid,) in rows]

    def stop(self) -> None:
        """Ends it for good."""
        self._ending.set()
        self._keeper.join(60)
