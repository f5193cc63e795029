"""With what somebody came, in two words: "Chromium on Linux". The rest of what a browser says of itself is not kept."""

import re

# In this order: most browsers also claim to be the ones further down.
_BROWSERS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"), (r"OPR/|Opera", "Opera"), (r"SamsungBrowser/", "Samsung Internet"),
    (r"Vivaldi/", "Vivaldi"), (r"Firefox/|FxiOS/", "Firefox"), (r"Chromium/|HeadlessChrome/", "Chromium"),
    (r"Chrome/|CriOS/", "Chrome"), (r"Version/[\d.]+ .*Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    (r"iPhone|iPad", "iOS"), (r"Android", "Android"), (r"CrOS", "ChromeOS"), (r"Windows", "Windows"),
    (r"Mac OS X|Macintosh", "macOS"), (r"Linux|X11", "Linux"),
)  # fmt: skip
_PROGRAM = re.compile(r"([A-Za-z][A-Za-z -]{0,29})(?:/|$)")


def agent_words(user_agent: str) -> str | None:
    """Browser and system; the name alone of a program that is no browser; None when nothing is known."""
    browser = next((name for pattern, name in _BROWSERS if re.search(pattern, user_agent)), None)
    system = next((name for pattern, name in _SYSTEMS if re.search(pattern, user_agent)), None)
    if browser and system:
        return f"{browser} on {system}"
    if browser or system:
        return browser or system
    program = _PROGRAM.match(user_agent)
    return program[1].strip() if program else None
