"""Addresses of a host, looked up within a time limit, which the system's own look-up does not have."""

import os
import socket
import threading
from concurrent.futures import Future

# Those that have not come back. Who asks for the same host waits for the same answer: of one whose name servers are
# silent a single thread hangs, however often it is asked for.
_under_way: dict[tuple[str, int], Future[set[str]]] = {}
os.register_at_fork(after_in_child=_under_way.clear)  # the threads that would answer are the parent's


def look_up(host: str, port: int, seconds: float) -> set[str]:
    """All addresses of a host. Raises TimeoutError after so long, and what `socket.getaddrinfo` raises."""
    key, own = (host, port), Future[set[str]]()
    answer = _under_way.setdefault(key, own)
    if answer is own:
        try:
            # Nothing can break a look-up off; a thread of this kind holds up no end of the process.
            threading.Thread(target=_ask, args=(key, own), name="look-up", daemon=True).start()
        except RuntimeError as error:  # no room for one more; or all who ask later would wait for nothing
            _under_way.pop(key, None)
            own.set_exception(OSError(str(error)))
    return answer.result(seconds)


def _ask(key: tuple[str, int], answer: Future[set[str]]) -> None:
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(*key, type=socket.SOCK_STREAM)}
    except Exception as error:  # whoever waits for it is told
        _under_way.pop(key, None)
        answer.set_exception(error)
    else:
        _under_way.pop(key, None)
        answer.set_result(found)
