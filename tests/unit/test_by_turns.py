"""Requests by turns in one thread: each goes on where it waited, whoever opens its gate, and none blocks the others."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from moderation.by_turns import ByTurns, Gate, aside, by_turns


class Loop:
    """Serves when it is woken, in the thread of the test."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self.threads = ThreadPoolExecutor(2)
        self.turns = ByTurns(self._woken.set, self.threads)

    def begin(self, work: Callable[[], object]) -> None:
        self.turns.begin(work)
        self.turns.serve()

    def until(self, done: Callable[[], object]) -> None:
        while not done():
            assert self.turns.due() or self._woken.wait(30)
            self._woken.clear()
            self.turns.serve()


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_while_one_waits_the_next_is_served(loop: Loop) -> None:
    gates: list[Gate] = []
    said: list[str] = []

    def request(name: str) -> None:
        gates.append(Gate())
        said.append(f"{name} waits")
        gates[-1].wait()
        said.append(f"{name} goes on")

    for name in "abc":
        loop.begin(lambda name=name: request(name))
    assert said == ["a waits", "b waits", "c waits"]
    opener = threading.Thread(target=lambda: [gates[2].open(), gates[0].open()])
    opener.start()
    opener.join()
    assert len(said) == 3  # only the loop serves
    loop.until(lambda: len(said) == 5)
    assert said[3:] == ["c goes on", "a goes on"]
    gates[1].open()
    loop.until(lambda: len(said) == 6)


def test_what_may_block_is_done_in_another_thread(loop: Loop) -> None:
    names: list[str] = []
    got: list[object] = []

    def work() -> int:
        names.append(threading.current_thread().name)
        assert not by_turns()
        return 7

    def request() -> None:
        assert by_turns()
        got.append(aside(work))
        try:
            aside(lambda: 1 // 0)
        except ZeroDivisionError as error:
            got.append(type(error))

    loop.begin(request)
    loop.until(lambda: len(got) == 2)
    assert got == [7, ZeroDivisionError]
    assert names[0] != threading.current_thread().name
    assert aside(work) == 7  # whoever has a thread does it at once
    assert names[1] == threading.current_thread().name


def test_who_becomes_ready_meanwhile_waits_for_the_next_round(loop: Loop) -> None:
    """So a client that asks on and on can't keep the loop from the others."""
    turns = [0]

    def request() -> None:
        turns[0] += 1
        loop.turns.begin(request)

    for n in range(1, 4):
        loop.turns.begin(request) if n == 1 else None
        loop.turns.serve()
        assert turns == [n]
    assert loop.turns.due()


def test_a_fault_comes_out_of_the_loop_and_the_rest_is_served_after_it(loop: Loop) -> None:
    done: list[int] = []

    def fault() -> None:
        raise SystemExit

    loop.turns.begin(fault)
    loop.turns.begin(lambda: done.append(1))
    with pytest.raises(SystemExit):
        loop.turns.serve()
    assert not by_turns()
    loop.until(lambda: done == [1])


def test_what_is_left_for_later_is_done_in_the_loop_at_the_next_round(loop: Loop) -> None:
    done: list[bool] = []
    loop.begin(lambda: loop.turns.later(lambda: done.append(by_turns())))
    assert done == []
    assert loop.turns.due()
    loop.turns.serve()
    assert done == [True]


def test_a_thread_waits_at_a_gate(loop: Loop) -> None:
    gate, done = Gate(), threading.Event()
    loop.threads.submit(lambda: [done.wait(30), gate.open()])
    done.set()
    gate.wait()
