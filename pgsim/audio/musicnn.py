"""MusiCNN, a network that was trained to tag music, by NumPy as far as its embedding.

J. Pons, X. Serra: musicnn: Pre-trained convolutional neural networks for music audio tagging, ISMIR
2019. It hears 3 seconds at a time. Filters that are wide in frequency hear timbre, and filters that
are long in time hear rhythm; of each, the frequency counts at which it answers most. Three layers
over time follow. A dense layer makes the embedding of the maximum and mean of them all over time.

Most filters have died in training, 492 of the 561 that hear: they answer with their bias, whatever
they hear. Only those alive are computed.
"""

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]

FRAMES, BANDS = 187, 96  # of what it hears at a time
_EPSILON = np.float32(1e-3)  # what is added to a variance
_ALIVE = 1e-9  # the largest weight of a filter that has died is smaller


class MusiCNN:
    """The network, made of the variables of its checkpoint, by their names there."""

    def __init__(self, variables: Mapping[str, Array]) -> None:
        self._first, *norms, self._pooled, self._last = (
            _Norm(variables, place) for place in range(11)
        )
        self._filters = [_Filters(variables, place, norm) for place, norm in enumerate(norms)]
        self._kernel, self._bias = variables["dense/kernel"], variables["dense/bias"]

    def embedding(self, patch: Array) -> Array:
        """Return the embedding (200,) of a patch (187, 96): mel bands, as log10(10000 x + 1)."""
        heard = self._first(patch)
        layer = np.concatenate([each(heard) for each in self._filters[:5]], axis=1)
        layers = [layer, layer := self._filters[5](layer)]
        layers += [layer := layer + each(layer) for each in self._filters[6:]]
        everything = np.concatenate(layers, axis=1)
        pooled = np.stack([everything.max(axis=0), everything.mean(axis=0)], axis=1)
        dense = self._pooled(pooled.reshape(-1)) @ self._kernel + self._bias
        return self._last(np.maximum(dense, 0))


class _Norm:
    """The normalisation of values whose last axis is channels."""

    def __init__(self, variables: Mapping[str, Array], place: int) -> None:
        gamma, beta, mean, variance = (
            variables[f"{_numbered('batch_normalization', place)}/{name}"]
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        self.factor = gamma / np.sqrt(variance + _EPSILON)
        self.offset = beta - mean * self.factor

    def __call__(self, values: Array) -> Array:
        return np.asarray(values * self.factor + self.offset)


class _Filters:
    """A layer of filters over frames and bands, whose answers are rectified and normalised."""

    def __init__(self, variables: Mapping[str, Array], place: int, norm: _Norm) -> None:
        name = _numbered("conv2d", place)
        kernel, bias = variables[f"{name}/kernel"], variables[f"{name}/bias"]
        weights = kernel.reshape(-1, kernel.shape[-1]).T
        self._shape = kernel.shape[:2]  # frames, bands
        self._dead = norm(np.maximum(bias, 0))
        self._alive = np.flatnonzero(np.abs(weights).max(axis=1) > _ALIVE)
        self._weights = np.ascontiguousarray(weights[self._alive])
        self._bias, self._factor, self._offset = (
            each[self._alive, None] for each in (bias, norm.factor, norm.offset)
        )

    def __call__(self, values: Array) -> Array:
        """Return the largest answers (frames, filters) over the places in bands (frames, bands)."""
        missing = self._shape[0] - 1
        padded = np.pad(values, ((missing // 2, missing - missing // 2), (0, 0)))
        places = len(values), values.shape[1] - self._shape[1] + 1
        # Of each weight, what it meets at all places. This order takes half the time of the other.
        met = sliding_window_view(padded, places).reshape(self._weights.shape[1], -1)
        answers = self._weights @ met + self._bias
        answers = np.maximum(answers, 0) * self._factor + self._offset
        result = np.tile(self._dead, (len(values), 1))
        result[:, self._alive] = answers.reshape(-1, *places).max(axis=2).T
        return result


def _numbered(name: str, place: int) -> str:
    """Return the name that TensorFlow gives the layer of a kind at that place."""
    return f"{name}_{place}" if place else name
