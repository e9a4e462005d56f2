"""Checkpoints of TensorFlow: what they hold, and what is said of damaged ones."""

from pathlib import Path

import numpy as np
import pytest

from pgsim.audio.checkpoint import Checkpoint
from pgsim.errors import PgsimError
from tests.support.checkpoints import write_checkpoint

RNG = np.random.default_rng(1)
VARIABLES = {
    f"{layer}/{name}": RNG.normal(size=shape).astype(np.float32)
    for layer in ("conv2d", "conv2d_1", "dense")
    for name, shape in (("bias", (7,)), ("kernel", (3, 4, 1, 7)), ("power", ()))
}


def read_all(name: str) -> dict[str, np.ndarray]:
    return dict(Checkpoint(name))


def test_every_variable_is_read_as_it_was_written(tmp_path: Path) -> None:
    step = {"step": np.array(7, np.int32)}  # no float, and no part of a network
    for name in ("model", ""):  # TensorFlow takes an empty name too
        write_checkpoint(f"{tmp_path}/{name}", VARIABLES | step)
        found = read_all(f"{tmp_path}/{name}")
        assert found.keys() == VARIABLES.keys()
        for key, values in VARIABLES.items():
            assert found[key].shape == values.shape
            assert (found[key] == values).all()


def test_a_damaged_byte_anywhere_is_noticed(tmp_path: Path) -> None:
    name = f"{tmp_path}/model"
    index, data = write_checkpoint(name, VARIABLES)
    for file in (index, data):
        whole = file.read_bytes()
        # What pads the footer says nothing.
        used = range(len(whole)) if file == data else [*range(len(whole) - 44), *range(-8, 0)]
        for at in used[::7]:
            damaged = bytearray(whole)
            damaged[at] ^= 0x10
            file.write_bytes(damaged)
            with pytest.raises(PgsimError, match=f"{file.name} is damaged"):
                read_all(name)
        for length in range(0, len(whole), 13):
            file.write_bytes(whole[:length])
            with pytest.raises(PgsimError, match=f"{file.name} is damaged"):
                read_all(name)
        file.write_bytes(whole)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    _, data = write_checkpoint(f"{tmp_path}/model", VARIABLES)
    data.unlink()
    with pytest.raises(PgsimError, match=r"cannot read .*model\.data-00000-of-00001: No such file"):
        Checkpoint(f"{tmp_path}/model")
