"""TFRecord files of embeddings: framing, checksums, the wire format, and what becomes of a clip."""

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgsim.errors import Rejected
from pgsim.features.profile import read_profile
from pgsim.sources import audioset, inputs
from pgsim.sources.audioset import dequantised, members, submission
from pgsim.sources.crc32c import crc32c
from pgsim.sources.provenance import OriginError
from pgsim.sources.streams.files import SourceError
from pgsim.sources.submission import Submission, own_mbid
from pgsim.sources.tfrecord import SequenceExample, WireError, parse_sequence_example, records
from tests.support.genuine import GENUINE
from tests.support.records import example, record, slow_crc32c, video, write_records

PROFILE = read_profile("audioset")
MEAN = [step / 64 - 1 for step in range(128)]
VOCABULARY = (
    "Index,TrainVideoCount,KnowledgeGraphId,Name\n7,1,/m/0342h,Guitar\n300,2,/m/09x0r,Speech\n"
)
SECONDS = [bytes([0, 255] * 64), bytes([255, 255] * 64)]


def loaded(path: Path) -> list[Submission | str]:
    """The submissions under a path, and the reasons why there is none."""
    found: list[Submission | str] = []
    for member in (each for file in inputs(path) for each in members(file.path)):
        try:
            found.append(submission(member, PROFILE))
        except Rejected as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize(
    ("data", "crc"),
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
)
def test_the_checksum_is_that_of_rfc_3720(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1023, 1024, 1025, 1027, 2049])
def test_the_checksum_is_that_of_the_bitwise_form_at_every_length(size: int) -> None:
    data = bytes(i * i % 251 for i in range(size))
    assert crc32c(data) == slow_crc32c(data)


def test_quantised_steps_reach_from_minus_2_to_2_as_youtube_8m_reads_them() -> None:
    steps = dequantised(np.array([0, 127, 255], np.uint8))
    np.testing.assert_allclose(steps, [-1.9921875, 0.0, 2.0078125], atol=1e-4)


def test_a_clip_is_its_mean_over_seconds_its_labels_and_its_genre(tmp_path: Path) -> None:
    path = write_records(
        tmp_path / "a.tfrecord", [example("vid", SECONDS, start=30, end=40, labels=[2, 3, 1])]
    )
    [clip] = loaded(path)
    assert isinstance(clip, Submission)
    np.testing.assert_allclose(clip.features, np.tile([0.0078125, 2.0078125], 64), atol=1e-6)
    assert (clip.mbid, clip.source, clip.number) == (own_mbid("audioset", "vid"), "audioset", 30)
    assert clip.metadata == {
        "source_id": "vid",
        "url": "https://www.youtube.com/watch?v=vid&t=30s",
        "length": 10.0,
        "labels": {
            "audioset": ["Guitar", "Music of Asia", "Rock music"],
            "music_genre": ["Music of Asia", "Rock music"],
        },
    }


def test_a_record_of_youtube_8m_is_named_by_its_own_vocabulary(tmp_path: Path) -> None:
    clip = example("Ab12", SECONDS, end=0, labels=[7], id_key="id", embedding_key="audio")
    path = write_records(tmp_path / "train0.tfrecord", [clip])
    (tmp_path / "vocabulary.csv").write_text(VOCABULARY)
    [found] = loaded(path)
    assert isinstance(found, Submission)
    assert found.mbid == own_mbid("youtube8m", "Ab12")
    assert found.metadata == {"source_id": "Ab12", "labels": {"youtube8m": ["Guitar"]}}


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("id_key", ["id", "video_id"])
def test_a_whole_video_of_youtube_8m_is_its_mean_of_sound(
    tmp_path: Path, id_key: str, is_packed: bool
) -> None:
    whole = video("Ab12", MEAN, labels=[300, 7], id_key=id_key, is_packed=is_packed)
    path = write_records(tmp_path / "train0093.tfrecord", [whole])
    (tmp_path / "vocabulary.csv").write_text(VOCABULARY)
    [found] = loaded(path)
    assert isinstance(found, Submission)
    np.testing.assert_array_equal(found.features, np.array(MEAN, np.float32))
    assert (found.mbid, found.source, found.number) == (
        own_mbid("youtube8m", "Ab12"),
        "youtube8m",
        0,
    )
    assert found.metadata == {"source_id": "Ab12", "labels": {"youtube8m": ["Speech", "Guitar"]}}


def test_a_video_and_its_seconds_are_the_same_recording(tmp_path: Path) -> None:
    mean = dequantised(np.frombuffer(b"".join(SECONDS), np.uint8).reshape(2, -1)).mean(axis=0)
    seconds = example("Ab12", SECONDS, end=0, id_key="id", embedding_key="audio")
    path = write_records(tmp_path / "a.tfrecord", [video("Ab12", mean.tolist()), seconds])
    whole, of_seconds = loaded(path)
    assert isinstance(whole, Submission)
    assert isinstance(of_seconds, Submission)
    assert (whole.mbid, whole.number) == (of_seconds.mbid, of_seconds.number)
    np.testing.assert_allclose(whole.features, of_seconds.features, atol=1e-6)


def test_the_list_of_labels_is_looked_for_in_the_folders_above(tmp_path: Path) -> None:
    below = tmp_path / "audioset" / "bal_train"
    below.mkdir(parents=True)
    path = write_records(below / "a.tfrecord", [example("vid", SECONDS, labels=[0])])
    (below / "class_labels_indices.csv").rename(tmp_path / "class_labels_indices.csv")
    for asked in (path, below, tmp_path):
        [clip] = loaded(asked)
        assert isinstance(clip, Submission)
        assert clip.metadata["labels"] == {"audioset": ["Speech"]}


def test_without_the_list_of_labels_a_load_says_what_is_missing(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a.tfrecord", [example("vid", SECONDS, labels=[0])])
    (tmp_path / "class_labels_indices.csv").unlink()
    with pytest.raises(SourceError, match=r"no class_labels_indices.csv in .*: put the list of"):
        loaded(path)


def test_clips_do_not_mix_with_what_another_extractor_measured(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a.tfrecord", [example("vid", SECONDS)])
    [member] = members(path)
    with pytest.raises(OriginError, match="made by extractor 'vggish'.*is for .essentia."):
        submission(member, read_profile("essentia"))


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        (example("v", SECONDS, labels=[9]), "label 9 is not in class_labels_indices.csv"),
        (example(None, SECONDS), "no id: the record has no video_id"),
        (example("v", []), "no embedding: the record has none of audio_embedding, audio, mean_aud"),
        (example("\n", SECONDS), "video_id b'\\n' is not a text"),
        (video("", MEAN), "no id: the record has no id and no video_id"),
        (video("v", [1.0] * 127), "embedding.mean: 127 numbers; 128 are needed"),
        (video("v", [float("nan")] * 128), "embedding.mean: nan is not a finite number"),
        (video("v", []), "no embedding: the record has none of audio_embedding, audio, mean_aud"),
        (example("v", [b"a", b"ab"]), "'audio_embedding' differs in length from second to second"),
        (example("v", [b"a"]), "embedding.mean: 1 numbers; 128 are needed"),
        (example("v", SECONDS, start=-1), "start_time_seconds -1.0 is not a number of seconds"),
        (b"no protocol buffer", "neither an Example nor a SequenceExample: "),
    ],
)
def test_a_record_that_is_no_clip_is_rejected_with_a_reason(
    tmp_path: Path, clip: bytes, reason: str
) -> None:
    good = example("good", SECONDS)
    first, second = loaded(write_records(tmp_path / "a.tfrecord", [clip, good]))
    assert isinstance(first, str)
    assert first.startswith(reason)
    assert isinstance(second, Submission)


def test_a_false_checksum_costs_its_record_and_no_other(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a.tfrecord", [example(i, SECONDS) for i in "abc"])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    first, second, third = loaded(path)
    assert second == "wrong checksum"
    assert isinstance(first, Submission)
    assert isinstance(third, Submission)


def test_a_false_checksum_of_a_length_ends_its_file(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a.tfrecord", [example("a", SECONDS)])
    path.write_bytes(path.read_bytes() + b"\1" + bytes(20))
    found = loaded(path)
    assert isinstance(found[0], Submission)
    assert found[1:] == ["record 1: the checksum of its length is wrong"]


def test_a_cut_off_file_keeps_the_records_before_the_cut(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a.tfrecord", [example("a", SECONDS)] * 2)
    path.write_bytes(path.read_bytes()[:-5])
    found = loaded(path)
    assert isinstance(found[0], Submission)
    assert found[1:] == ["broken after 1 documents: the last record is not whole"]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_an_error(data: bytes) -> None:
    with suppress(WireError):
        assert isinstance(parse_sequence_example(data), SequenceExample)


def test_values_one_by_one_read_as_packed_ones() -> None:
    # Features{labels: Int64List[5, -1]}, unpacked, and bytes as they come.
    labels = b"\x08\x05\x08" + b"\xff" * 9 + b"\x01"
    entry = b"\x0a\x06labels\x12" + bytes([len(labels) + 2]) + b"\x1a" + bytes([len(labels)])
    entry += labels
    data = b"\x0a" + bytes([len(entry) + 2]) + b"\x0a" + bytes([len(entry)]) + entry
    assert parse_sequence_example(data).context == {"labels": [5, -1]}


def test_records_are_whatever_bytes_they_hold() -> None:
    stream = io.BytesIO(record(b"") + record(b"\0" * 5000))
    assert [member.data for member in records(stream, "a")] == [b"", b"\0" * 5000]


def test_all_genuine_clips_read_with_true_checksums_and_ten_seconds_or_fewer() -> None:
    folder = GENUINE / "audioset"
    if not folder.is_dir():
        pytest.skip(f"the genuine clips are not in {folder}")
    files = list(inputs(folder))
    assert len(files) == 407
    assert all(each.source is audioset for each in files)
    clips = [clip for each in files[:40] for clip in loaded(each.path)]
    assert len(clips) > 200
    assert all(isinstance(clip, Submission) for clip in clips)
