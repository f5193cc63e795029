"""`moderation doctor`: looks at every part of an installation, says what is wrong and what to do.

One small function a check, in `CHECKS`. Each runs in a thread of its own within a time limit, so that one part that
hangs hides none of the others.
"""

from moderation.services.doctor.checks import CHECKS
from moderation.services.doctor.found import Context, Finding, State
from moderation.services.doctor.run import examine

__all__ = ["CHECKS", "Context", "Finding", "State", "examine"]
