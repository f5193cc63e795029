"""What a worker takes out of Redis: rings of our own doorbell, and nothing else."""

from typing import Any

from rq.job import Job

from moderation.queueing import JOBS


class Ring(Job):
    """A job that only says which of JOBS to do. RQ would call whatever a job names, with what it brings along, and
    post to addresses in it: whoever can write to Redis would be whoever the worker is."""

    @property
    def func(self) -> Any:
        """Raises PermissionError for what is none of JOBS."""
        if self.func_name not in JOBS.values() or self.instance or self.args or self.kwargs:
            raise PermissionError("not a job of ours")
        return super().func

    @property
    def success_callback(self) -> None:
        """None ever: we have no callbacks."""

    @property
    def failure_callback(self) -> None:
        """None ever."""

    @property
    def stopped_callback(self) -> None:
        """None ever."""

    def send_webhooks(self, *_args: Any, **_more: Any) -> None:
        """Posts nothing: RQ's webhooks are not ours."""
