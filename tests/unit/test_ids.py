"""Ids tell when they were made, however many are made at once: an article's closing looks at that."""

from moderation.store.session import made_ms, new_id, now_ms


def test_ids_are_sorted_and_keep_to_the_clock() -> None:
    begin = now_ms()
    ids = [new_id() for _ in range(20_000)]
    end = now_ms()
    assert ids == sorted(set(ids))
    assert begin <= made_ms(ids[0]) <= made_ms(ids[-1]) <= end
