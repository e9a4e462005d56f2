"""What is read into a room is what the stream holds, and what is kept stays where it lies."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgsim.sources.streams import buffer as module
from pgsim.sources.streams.buffer import Place, Room

STREAM = bytes(i * 7 % 251 for i in range(5000))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "keep", "skip", "put", "leave", "fill"]), st.integers(0, 700)
    ),
    max_size=40,
)


class Slow(io.BytesIO):
    """Gives little at a time."""

    def read1(self, size: int | None = -1) -> bytes:
        return self.read(min(100, 100 if size is None else size))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, size=st.integers(0, 2000))
def test_a_room_gives_what_the_stream_holds_and_keeps_what_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int]], size: int
) -> None:
    monkeypatch.setattr(module, "_AHEAD", 50)  # so that what is read often has to move
    room = Room(memoryview(bytearray(b"?" * size)))
    room.open(Slow(STREAM))
    at = 0
    kept: list[tuple[Place, bytes]] = []
    for step, number in steps:
        if step == "put":
            data = b"!" * number
            kept.append((room.put(data), data))
        elif step == "leave":
            room.leave(memoryview(bytearray(b"?" * size)))
            kept.clear()
        elif step == "fill":
            room.fill()
            assert room.memory[room.at : room.end] == STREAM[at : at + room.end - room.at]
        elif step == "skip":
            assert room.skip(number) == (at + number <= len(STREAM))
            at = min(at + number, len(STREAM))
        elif room.need(number):
            place = room.at, room.at + number
            assert room.memory[slice(*place)] == STREAM[at : at + number]
            room.at += number
            at += number
            if step == "keep":
                room.keep(room.at)
                kept.append((place, STREAM[at - number : at]))
        else:
            assert at + number > len(STREAM)
        assert all(room.memory[slice(*place)] == data for place, data in kept)


def test_what_is_passed_over_leaves_its_memory_to_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_AHEAD", 50)
    room = Room(memoryview(bytearray(1000)))
    room.open(Slow(STREAM))
    for at in range(0, 4000, 100):
        assert room.need(100)
        assert room.memory[room.at : room.at + 100] == STREAM[at : at + 100]
        room.at += 100
    assert len(room.memory) == 1000


def test_a_room_is_filled_up_to_where_its_stream_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AHEAD", 50)

    class Broken(Slow):
        def read1(self, size: int | None = -1) -> bytes:
            if self.tell() >= 200:
                raise OSError("broken")
            return super().read1(size)

    room = Room(memoryview(bytearray(1000)))
    room.open(Broken(STREAM))
    room.fill()
    assert room.memory[: room.end] == STREAM[:200]
    room.fill()  # which asks the stream no more
    assert room.need(200)
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            room.need(201)
        with pytest.raises(OSError, match="broken"):
            room.skip(201)
    room.open(Slow(STREAM))
    assert room.need(201)


def test_a_room_without_memory_for_more_is_not_filled() -> None:
    room = Room(memoryview(bytearray(1000)))
    room.open(Slow(STREAM))
    room.fill()
    assert (room.at, room.end) == (0, 0)
