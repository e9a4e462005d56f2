"""The profile of the demo's recordings: Essentia's features beside MusiCNN's embedding."""

from dataclasses import replace

from pgsim.features.profile import Profile, read_profile

EMBEDDING = "musicnn"


def both_profiles() -> Profile:
    """Return the sets of the profiles `essentia` and `musicnn`, with half of the weight each."""
    essentia = read_profile("essentia")
    [embedding] = read_profile(EMBEDDING).sets
    features = (replace(each, weight=each.weight / 2) for each in essentia.sets)
    embedding = replace(embedding, weight=0.5, position=essentia.dimensions)
    return replace(essentia, name="essentia_musicnn", sets=(*features, embedding))
