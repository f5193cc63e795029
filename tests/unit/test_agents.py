"""What a browser says of itself, in two words."""

import pytest

from moderation.web.agents import agent_words

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (CHROME, "Chrome on Linux"),
        (CHROME.replace("Chrome/", "HeadlessChrome/"), "Chromium on Linux"),
        (CHROME.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64") + " Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/17.0 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) CriOS/130.0 Safari/604.1", "Chrome on iOS"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", "Firefox on Android"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.34", "python-requests"),
        ("Werkzeug/3.1", "Werkzeug"),
        ("", None),
        ("<script>alert(1)</script>", None),
        ("x" * 5000, None),
        ("203.0.113.9", None),
    ],
)
def test_browser_and_system(said: str, words: str | None) -> None:
    assert agent_words(said) == words
