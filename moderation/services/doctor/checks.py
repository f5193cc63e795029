"""The list of checks, in the order in which a person should read them."""

from moderation.services.doctor import database, machine, safety, work
from moderation.services.doctor.found import Check

CHECKS = (
    Check("settings", safety.settings),
    Check("secret key", safety.secret_key),
    Check("database", database.reach),
    Check("database settings", database.settings, needs="database"),
    Check("migrations", database.migrations, needs="database"),
    Check("integrity", database.integrity, 60.0, needs="database", patient=True),
    Check("files", machine.files),
    Check("disk", machine.disk),
    Check("redis", machine.redis),
    Check("clock", machine.clock, needs="database"),
    Check("scorer", machine.scorer, 90.0),
    Check("workers", work.workers, needs="migrations"),
    Check("queue", work.queue, needs="migrations"),
    Check("deliveries", work.deliveries, needs="migrations"),
    Check("webhooks", work.webhooks, 30.0, needs="migrations"),
    Check("audit trail", work.audit, needs="migrations"),
    Check("people", work.people, needs="migrations"),
    Check("web safety", safety.web),
    Check("demo", safety.demo),
)
