"""Where a request ends, whatever pieces it comes in; what leaves a doubt about it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.inbox import BODY, HEAD, Inbox

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n\n\r\n0\r\n\r\n"
TRAILED = b"POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n5\r\n\r\n0\r\n\r\n0\r\nX: y\r\n\r\n"
WHOLE = [GET, POST, CHUNKED, TRAILED]


@given(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=4), st.lists(st.integers(1, 90)))
def test_requests_come_out_as_they_went_in(requests: list[bytes], cuts: list[int]) -> None:
    inbox, sent, out = Inbox(), b"".join(requests), []
    while sent:
        size = cuts.pop() if cuts else 7
        inbox.add(sent[:size])
        sent = sent[size:]
        while inbox.size and inbox.whole():
            out.append(inbox.take())
    assert (out, inbox.size, inbox.cut, inbox.refused) == (requests, 0, False, None)


@given(st.sampled_from(WHOLE), st.data())
def test_a_part_is_not_whole(request: bytes, data: st.DataObject) -> None:
    inbox = Inbox()
    inbox.add(request[: data.draw(st.integers(0, len(request) - 1))])
    assert not inbox.whole()
    assert inbox.refused is None


@pytest.mark.parametrize(
    "odd",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(odd: bytes) -> None:
    inbox = Inbox()
    inbox.add(odd)
    assert inbox.whole()
    assert inbox.refused == 400


def test_a_body_longer_than_any_may_be_is_not_waited_for() -> None:
    inbox, head = Inbox(), b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\nabc" % (BODY + 1)
    inbox.add(head)
    assert inbox.whole()
    assert inbox.take() == head
    assert inbox.cut  # nothing may follow on this connection


@pytest.mark.parametrize(
    ("much", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD, 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * HEAD, 431),
    ],
)
def test_limits(much: bytes, status: int) -> None:
    inbox = Inbox()
    inbox.add(much)
    assert inbox.whole()
    assert inbox.refused == status


def test_who_waits_to_be_told_is_told_once_and_the_app_hears_nothing_of_it() -> None:
    inbox = Inbox()
    inbox.add(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    assert not inbox.whole()
    assert (inbox.expects(), inbox.expects()) == (True, False)
    inbox.add(b"x")
    assert inbox.whole()
    assert inbox.take() == b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
