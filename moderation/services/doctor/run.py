"""Runs the checks side by side, each within its time."""

import threading
import time
from collections.abc import Sequence

from moderation.services.doctor.found import Check, Context, Finding, State, warning, wrong


def examine(context: Context, checks: Sequence[Check]) -> dict[str, Finding]:
    """What each check found, in their order. Never raises, and always ends: each check has its limit.

    What needs a part that is wrong is not tried.
    """
    found: dict[str, Finding] = {}
    left = list(checks)
    while left:
        ready = [check for check in left if check.needs is None or check.needs in found]
        left = [check for check in left if check not in ready]
        hopeless = [check for check in ready if check.needs and found[check.needs].state is not State.OK]
        found |= _all_at_once(context, [check for check in ready if check not in hopeless])
        for check in hopeless:
            found[check.name] = warning("not looked at", f"first mend this: {check.needs}")
    return {check.name: found[check.name] for check in checks}


def _all_at_once(context: Context, checks: Sequence[Check]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    began = time.monotonic()
    threads = [threading.Thread(target=_look, args=(context, check, found), daemon=True) for check in checks]
    for thread in threads:
        thread.start()
    for check, thread in zip(checks, threads, strict=True):
        thread.join(max(0.0, began + check.seconds - time.monotonic()))
    return {check.name: found.get(check.name) or _too_slow(check) for check in checks}


def _look(context: Context, check: Check, found: dict[str, Finding]) -> None:
    try:
        found[check.name] = check.look(context)
    except Exception as error:  # a check that fails is a finding; its text may quote an address or a password
        found[check.name] = wrong(f"can't be looked at ({type(error).__name__})", "see the findings about its parts")


def _too_slow(check: Check) -> Finding:
    if check.patient:
        return warning(f"not done within {check.seconds:g} s", "run it by itself in a quiet hour: docs/operate.md")
    return wrong(f"no answer within {check.seconds:g} s", "it hangs, or the network swallows what is sent: look at it")
