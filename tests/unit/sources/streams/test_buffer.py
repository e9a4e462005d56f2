"""What is read into a buffer is what the stream holds, and what is kept stays where it lies."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgsim.sources.streams import buffer as module
from pgsim.sources.streams.buffer import Place, ReadBuffer

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


@given(steps=STEPS, size=st.integers(0, 2000))
def test_a_buffer_gives_what_the_stream_holds_and_keeps_what_it_is_asked_to(
    monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int]], size: int
) -> None:
    monkeypatch.setattr(module, "_AHEAD", 50)  # so that what is read often has to move
    buffer = ReadBuffer(memoryview(bytearray(b"?" * size)))
    buffer.open(Slow(STREAM))
    at = 0
    kept: list[tuple[Place, bytes]] = []
    for step, number in steps:
        if step == "put":
            data = b"!" * number
            kept.append((buffer.put(data), data))
        elif step == "leave":
            buffer.leave(memoryview(bytearray(b"?" * size)))
            kept.clear()
        elif step == "fill":
            buffer.fill()
            assert buffer.memory[buffer.at : buffer.end] == STREAM[at : at + buffer.end - buffer.at]
        elif step == "skip":
            assert buffer.skip(number) == (at + number <= len(STREAM))
            at = min(at + number, len(STREAM))
        elif buffer.need(number):
            place = buffer.at, buffer.at + number
            assert buffer.memory[slice(*place)] == STREAM[at : at + number]
            buffer.at += number
            at += number
            if step == "keep":
                buffer.keep(buffer.at)
                kept.append((place, STREAM[at - number : at]))
        else:
            assert at + number > len(STREAM)
        assert all(buffer.memory[slice(*place)] == data for place, data in kept)


def test_what_is_passed_over_leaves_its_memory_to_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_AHEAD", 50)
    buffer = ReadBuffer(memoryview(bytearray(1000)))
    buffer.open(Slow(STREAM))
    for at in range(0, 4000, 100):
        assert buffer.need(100)
        assert buffer.memory[buffer.at : buffer.at + 100] == STREAM[at : at + 100]
        buffer.at += 100
    assert len(buffer.memory) == 1000


def test_a_buffer_is_filled_up_to_where_its_stream_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AHEAD", 50)

    class Broken(Slow):
        def read1(self, size: int | None = -1) -> bytes:
            if self.tell() >= 200:
                raise OSError("broken")
            return super().read1(size)

    buffer = ReadBuffer(memoryview(bytearray(1000)))
    buffer.open(Broken(STREAM))
    buffer.fill()
    assert buffer.memory[: buffer.end] == STREAM[:200]
    buffer.fill()  # which asks the stream no more
    assert buffer.need(200)
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            buffer.need(201)
        with pytest.raises(OSError, match="broken"):
            buffer.skip(201)
    buffer.open(Slow(STREAM))
    assert buffer.need(201)


def test_a_buffer_without_memory_for_more_is_not_filled() -> None:
    buffer = ReadBuffer(memoryview(bytearray(1000)))
    buffer.open(Slow(STREAM))
    buffer.fill()
    assert (buffer.at, buffer.end) == (0, 0)
