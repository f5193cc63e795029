"""A real WordPress: Debian's package copied into a folder, a MariaDB of its own, PHP's own web server, our plugin."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter

from moderation.processes import dying_with
from tests.databases import end, until
from tests.ports import free_port

PACKAGE = Path("/usr/share/wordpress")
PLUGIN = Path(__file__).parents[2] / "integrations" / "wordpress" / "comment-moderation"
ADMIN = ("editor", "correct horse battery staple")
ADMIN_EMAIL = "editor.in.chief@paper.example"

CONFIG = """<?php
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:{socket}' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'WP_HOME', '{url}' );
define( 'WP_SITEURL', '{url}' );
define( 'DISABLE_WP_CRON', true ); // the tests call wp-cron.php themselves
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'WP_ACCESSIBLE_HOSTS', '127.0.0.1' );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_DEBUG', true );
define( 'WP_DEBUG_DISPLAY', false );
define( 'WP_DEBUG_LOG', '{log}' );
$table_prefix = 'wp_';
defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );
require_once ABSPATH . 'wp-settings.php';
"""

INSTALL = """<?php
define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require __DIR__ . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install( 'The paper', $argv[1], $argv[3], true, '', $argv[2] );
update_option( 'permalink_structure', '/%postname%/' );
update_option( 'comment_previously_approved', 0 );
switch_theme( 'twentytwentyone' );
"""


class Form(HTMLParser):
    """The form with this id (or the only one that posts there) in a page: where it goes and what it would send."""

    def __init__(self, page: str, wanted: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._wanted = wanted
        self._inside = False
        self.feed(page)
        assert self.action, f"no form {wanted}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self._wanted in (given.get("id"), given.get("action")):
            self._inside, self.action = True, given["action"]
        elif self._inside and tag in ("input", "textarea") and "name" in given:
            chosen = given.get("type") not in ("checkbox", "radio") or "checked" in given
            if chosen:
                self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


class FromAddress(HTTPAdapter):
    """Calls from an address of the loopback network, for WordPress takes one comment in 15 seconds from each."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **more)


class WordPress:
    """Runs until `stop`. `url` is its address, `log` what PHP and WordPress logged."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "site"
        self.log = folder / "php.log"
        self.output = folder / "server.log"
        self.url = f"http://127.0.0.1:{free_port()}"
        self._readers = 1
        self._sockets = Path(tempfile.mkdtemp(prefix="mariadb-"))  # a socket's path may have 107 bytes
        self._database = self._start_database(folder / "mariadb")
        shutil.copytree(PACKAGE, self.root, ignore=shutil.ignore_patterns("wp-config.php", ".htaccess"))
        shutil.copytree(PLUGIN, self.root / "wp-content" / "plugins" / PLUGIN.name)
        (self.root / "wp-config.php").write_text(
            CONFIG.format(socket=self._sockets / "socket", url=self.url, log=self.log)
        )
        self.php(INSTALL, *ADMIN, ADMIN_EMAIL)
        self._server = self._start_server()
        self.admin = self._signed_in()

    def _start_database(self, folder: Path) -> "subprocess.Popen[bytes]":
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={folder}", "--skip-test-db",
             "--auth-root-authentication-method=normal", *as_root],
            check=True, capture_output=True,
        )  # fmt: skip
        create = self._sockets / "create.sql"
        create.write_text("CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;\n")
        with open(folder.with_suffix(".log"), "ab") as log:
            process = subprocess.Popen(
                ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={folder}", f"--socket={self._sockets / 'socket'}",
                 "--skip-networking", "--innodb-flush-log-at-trx-commit=0", f"--init-file={create}", *as_root],
                stdout=log, stderr=log, preexec_fn=dying_with(os.getpid()),
            )  # fmt: skip
        until((self._sockets / "socket").exists, 60, "MariaDB; its log: " + str(folder.with_suffix(".log")))
        return process

    def _options(self) -> list[str]:
        return ["-d", f"error_log={self.log}", "-d", "log_errors=1", "-d", "display_errors=0",
                "-d", "sendmail_path=/bin/true"]  # fmt: skip

    def php(self, code: str, *arguments: str) -> str:
        """Runs a program in WordPress's folder; returns what it printed."""
        program = self.root / "program.php"
        program.write_text(code)
        ran = subprocess.run(
            ["php", *self._options(), program, *arguments], cwd=self.root, capture_output=True, text=True
        )  # fmt: skip
        program.unlink()
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def _start_server(self) -> "subprocess.Popen[bytes]":
        with open(self.output, "ab") as output:
            process = subprocess.Popen(
                ["php", *self._options(), "-S", self.url.removeprefix("http://"), "-t", str(self.root)],
                stdout=output, stderr=output, cwd=self.root, start_new_session=True,
                env=os.environ | {"PHP_CLI_SERVER_WORKERS": "4"}, preexec_fn=dying_with(os.getpid()),
            )  # fmt: skip
        until(lambda: _answers(self.url), 60, "WordPress; its log: " + str(self.output))
        return process

    def stop(self) -> None:
        """Ends web server (its workers are in its process group) and database."""
        os.killpg(self._server.pid, signal.SIGKILL)
        self._server.wait()
        end(self._database, signal.SIGTERM)
        shutil.rmtree(self._sockets, ignore_errors=True)

    # What people do, by the pages' own forms and links.

    def reader(self) -> requests.Session:
        """A new reader's browser, from an address of its own."""
        self._readers += 1
        session = requests.Session()
        session.mount("http://", FromAddress(f"127.0.0.{self._readers}"))
        return session

    def article(self, session: requests.Session | None = None) -> str:
        """The article's page as this reader sees it; as one who has not been here without `session`."""
        return (session or requests).get(f"{self.url}/hello-world/", timeout=60).text

    def comment(self, body: str, **fields: str) -> int:
        """Sends the comment form of the article as a new reader; returns the comment's id."""
        reader = self.reader()
        form = Form(self.article(reader), "commentform")
        number = self._readers
        written = {"author": f"Reader {number}", "email": f"reader{number}@readers.example", "url": ""}
        sent = reader.post(
            form.action, data=form.fields | written | {"comment": body} | fields, timeout=60, allow_redirects=False
        )
        assert sent.status_code == 302, sent.text[:2000]
        found = re.search(r"unapproved=(\d+)|#comment-(\d+)", sent.headers["Location"])
        assert found, sent.headers["Location"]
        return int(found[1] or found[2])

    def _signed_in(self) -> requests.Session:
        session = requests.Session()
        form = Form(session.get(f"{self.url}/wp-login.php", timeout=60).text, "loginform")
        entered = {"log": ADMIN[0], "pwd": ADMIN[1]}
        page = session.post(form.action, data=form.fields | entered, timeout=60)
        assert "wp-admin" in page.url, page.text[:2000]
        return session

    def page(self, path: str) -> str:
        """A page of wp-admin as the administrator sees it."""
        return self.admin.get(urljoin(f"{self.url}/wp-admin/", path), timeout=60).text

    def activate(self) -> None:
        """Clicks Activate in the list of plugins."""
        link = re.search(r'href="(plugins\.php\?action=activate&amp;plugin=comment-moderation[^"]*)"',
                         self.page("plugins.php"))  # fmt: skip
        assert link
        self.page(link[1].replace("&amp;", "&"))

    def set(self, **values: str) -> str:
        """Fills in the plugin's settings page and saves it; returns the page that follows."""
        form = Form(self.page("options-general.php?page=comment-moderation"), "options.php")
        entered = {f"comment_moderation_settings[{name}]": value for name, value in values.items()}
        assert set(entered) <= set(form.fields)
        return self.admin.post(
            f"{self.url}/wp-admin/options.php", data=form.fields | entered, timeout=60
        ).text  # fmt: skip

    def press(self, button: str) -> str:
        """Clicks a button of the plugin's settings page; returns the page that follows."""
        page = self.page("options-general.php?page=comment-moderation")
        link = re.search(rf'id="comment-moderation-{button}" href="([^"]*)"', page)
        assert link
        return self.page(link[1].replace("&#038;", "&").replace("&amp;", "&"))

    def rest(self, method: str, path: str, body: Any = None) -> requests.Response:
        """A call of WordPress's own REST interface as the administrator."""
        nonce = self.admin.get(f"{self.url}/wp-admin/admin-ajax.php?action=rest-nonce", timeout=60).text
        return self.admin.request(
            method, f"{self.url}/wp-json{path}", json=body, headers={"X-WP-Nonce": nonce}, timeout=60
        )

    def status(self, comment: int) -> str:
        """approved, hold, spam or trash."""
        return str(self.rest("GET", f"/wp/v2/comments/{comment}?context=edit").json()["status"])

    def rule(self, comment: int, action: str) -> None:
        """A moderator of WordPress gives a comment a status: approved, hold, spam or trash."""
        answer = self.rest("POST", f"/wp/v2/comments/{comment}", {"status": action})
        assert answer.ok, answer.text

    def cron(self) -> None:
        """What the system's cron does."""
        assert requests.get(f"{self.url}/wp-cron.php?doing_wp_cron", timeout=120).ok


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/wp-login.php", timeout=60).ok
    except requests.ConnectionError:
        return False
