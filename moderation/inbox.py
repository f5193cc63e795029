"""What has come in on a connection, until it makes one whole request. No thread waits for a client that is slow.

It only finds where a request ends, and refuses what leaves a doubt about that. All else the server's own parser judges.
"""

import re

HEAD = 32 * 1024
BODY = 16 * 1024 * 1024  # as large as any body may be; a length above that is answered unread

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.I)
_CODED = re.compile(rb"\r\ntransfer-encoding:", re.I)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.I)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})(?:[ \t]*;.*)?")
_BARE = re.compile(rb"(?<!\r)\n")
_LINE = 1024


class Inbox:
    """The bytes of one connection. `size` is how many there are.

    `refused` is the status for what can't be read or goes past a limit, else None; `cut` says that the body of the
    request that was taken last is longer than any may be and will not be read, so that nothing may follow it.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self.cut = False
        self._forget()

    def _forget(self) -> None:
        self.refused: int | None = None
        self._seen = 0  # so far there is no end of the head
        self._body = 0  # where the body begins
        self._end: int | None = None  # where the request ends
        self._chunk: int | None = None  # where the next chunk's size stands
        self._told = False

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return len(self._data)

    @property
    def head(self) -> bytes:
        """Request line and headers, as far as there are any."""
        return bytes(self._data[: self._body])

    def add(self, data: bytes) -> None:
        """More has come."""
        self._data += data

    def whole(self) -> bool:
        """Whether there is a whole request, or enough of one to refuse it."""
        if not self._body and not self._read_head():
            return self.refused is not None
        if self._chunk is not None and self._end is None:
            self._read_chunks()
        return self.refused is not None or (self._end is not None and len(self._data) >= self._end)

    def expects(self) -> bool:
        """Whether the client waits to be told to go on; True only once."""
        if self._told or not self._body or not _EXPECTS.search(self._data, 0, self._body):
            return False
        self._told = True
        return True

    def take(self) -> bytes:
        """The request; what came after it stays."""
        end = min(self._end or 0, len(self._data))
        request = bytes(self._data[:end])
        if self._told:
            request = _EXPECTS.sub(b"", request[: self._body]) + request[self._body :]
        del self._data[:end]
        self._forget()
        return request

    def _read_head(self) -> bool:
        at = self._data.find(b"\r\n\r\n", max(0, self._seen - 3))
        if at < 0 or at > HEAD:
            if _BARE.search(self._data, 0, HEAD):
                self.refused = 400
            elif len(self._data) > HEAD:
                self.refused = 431
            self._seen = len(self._data)
            return False
        self._body = at + 4
        length = _LENGTH.search(self._data, 0, self._body)
        if not _CODED.search(self._data, 0, self._body):
            self._end = self._body + (int(length[1]) if length else 0)
            if self._end - self._body > BODY:
                self._end, self.cut = len(self._data), True
        elif length:  # both: a way to smuggle a request past a proxy
            self.refused = 400
        else:
            self._chunk = self._body
        return True

    def _read_chunks(self) -> None:
        while self._chunk is not None and self._chunk <= len(self._data):
            line = self._data.find(b"\r\n", self._chunk)
            if line < 0:
                if len(self._data) - self._chunk > _LINE:
                    self.refused = 400
                return
            found = _CHUNK.fullmatch(self._data, self._chunk, line)
            if not found:
                self.refused = 400
                return
            if int(found[1], 16) == 0:
                self._read_trailers(line)
                return
            self._chunk = line + 2 + int(found[1], 16) + 2
            if bytes(self._data[self._chunk - 2 : self._chunk]) not in (b"\r\n", b"\r", b""):
                self.refused = 400
                return
            if self._chunk - self._body > BODY + HEAD:
                self.refused = 413
                return

    def _read_trailers(self, line: int) -> None:
        at = self._data.find(b"\r\n\r\n", line)
        if at >= 0:
            self._end = at + 4
        elif len(self._data) - line > HEAD:
            self.refused = 431
