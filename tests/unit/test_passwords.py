"""How costly a password is to guess: the tests hash cheaply, the product must not."""

import subprocess
import sys


def test_passwords_are_hashed_as_rfc_9106_recommends() -> None:
    code = "from moderation.services.accounts import password_hash; print(password_hash('correct horse battery'))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
