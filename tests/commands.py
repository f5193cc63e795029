"""The commands of the single parts: docker-compose.yml and the tests that start real processes use the same."""

UPGRADE = ("moderation", "db", "upgrade")
WORKER = ("moderation", "worker")


def web(bind: str) -> tuple[str, ...]:
    """The web server on HOST:PORT."""
    return ("moderation", "web", "--bind", bind)
