"""The twelve metrics, and the classifiers whose labels some of them read."""

from dataclasses import dataclass

# Classifiers of a high-level document and their labels.
CLASSIFIERS = {
    "danceability": ("danceable", "not_danceable"),
    "gender": ("female", "male"),
    "genre_dortmund": tuple(
        "alternative blues electronic folkcountry funksoulrnb jazz pop raphiphop rock".split()
    ),
    "genre_electronic": ("ambient", "dnb", "house", "techno", "trance"),
    "genre_rosamerica": ("cla", "dan", "hip", "jaz", "pop", "rhy", "roc", "spe"),
    "genre_tzanetakis": tuple("blu cla cou dis hip jaz met pop reg roc".split()),
    "ismir04_rhythm": tuple(
        "ChaChaCha Jive Quickstep Rumba-American Rumba-International Rumba-Misc Samba Tango"
        " VienneseWaltz Waltz".split()
    ),
    **{
        f"mood_{mood}": (mood, f"not_{mood}")
        for mood in ("acoustic", "aggressive", "electronic", "happy", "party", "relaxed", "sad")
    },
    "moods_mirex": tuple(f"Cluster{number}" for number in range(1, 6)),
    "timbre": ("bright", "dark"),
    "tonal_atonal": ("atonal", "tonal"),
    "voice_instrumental": ("instrumental", "voice"),
}
# The labels at each path where a whole classifier becomes features. A document with other labels
# would put its numbers in the wrong places.
GENRE_LABELS = {
    f"highlevel.{model}.all": CLASSIFIERS[model]
    for model in ("genre_dortmund", "genre_rosamerica", "genre_tzanetakis")
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One of the twelve ways in which recordings can be compared.

    `of` is the feature set whose slice it measures; most metrics have one of their own name. The
    i-th dimension is multiplied by `decay`**i after the transform.
    """

    name: str
    paths: tuple[str, ...]
    form: str
    length: int
    of: str
    decay: float = 1.0


def _model(model: str, label: str = "") -> str:
    return f"highlevel.{model}.all.{label}" if label else f"highlevel.{model}.all"


_MFCC, _GFCC = ("lowlevel.mfcc.mean",), ("lowlevel.gfcc.mean",)
_MOODS = tuple(
    _model(f"mood_{mood}", mood) for mood in ("happy", "sad", "aggressive", "relaxed", "party")
)
_INSTRUMENTS = (
    _model("mood_acoustic", "acoustic"),
    _model("mood_electronic", "electronic"),
    _model("voice_instrumental", "instrumental"),
)

METRICS = {
    metric.name: metric
    for metric in (
        Metric("mfccs", _MFCC, "numbers", 13, "mfccs"),
        Metric("mfccsw", _MFCC, "numbers", 13, "mfccs", decay=0.95),
        Metric("gfccs", _GFCC, "numbers", 13, "gfccs"),
        Metric("gfccsw", _GFCC, "numbers", 13, "gfccs", decay=0.95),
        Metric("key", ("tonal.key_key", "tonal.key_scale"), "circle_of_fifths", 2, "key"),
        Metric("bpm", ("rhythm.bpm",), "octaves", 2, "bpm"),
        Metric("onsetrate", ("rhythm.onset_rate",), "octaves", 2, "onsetrate"),
        Metric("moods", _MOODS, "probabilities", 5, "moods"),
        Metric("instruments", _INSTRUMENTS, "probabilities", 3, "instruments"),
        Metric("dortmund", (_model("genre_dortmund"),), "probabilities", 9, "dortmund"),
        Metric("rosamerica", (_model("genre_rosamerica"),), "probabilities", 8, "rosamerica"),
        Metric("tzanetakis", (_model("genre_tzanetakis"),), "probabilities", 10, "tzanetakis"),
    )
}
