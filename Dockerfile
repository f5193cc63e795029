# One image for web, worker and the migration; the command says which.
FROM python:3.11-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ONLY_BINARY=:all:
RUN python -m venv /opt/moderation
WORKDIR /source
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY models models
COPY moderation moderation
COPY workers workers
RUN /opt/moderation/bin/python -m pip install -c constraints.txt .

FROM python:3.11-slim-trixie
# pg_dump and pg_restore, for backups.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin moderation
COPY --from=build /opt/moderation /opt/moderation
ENV PATH=/opt/moderation/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/moderation
USER 10001:10001
EXPOSE 8000
# For the web server; the compose file gives the worker its own check.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz?for=web', timeout=4)"]
CMD ["moderation", "web", "--bind", "0.0.0.0:8000"]
