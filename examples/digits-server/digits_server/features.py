"""From an image of 64 pixels to what an estimator reads: one function per way that was ever tried.

`train` and `model` share these functions, so that training and serving read an image alike.
Version 3.0.0 breaks that rule, as such faults do: it was trained with `centred`, and serves with
`centred_by_index`, a rewrite that was meant to be quicker.

Every function takes images of shape (n, 64), values 0 to 16, and answers (n, features).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SIDE = 8
PIXELS = SIDE * SIDE
BRIGHTEST = 16.0

STROKE_TIMEOUT = 0.4
# Sums of all pixels under which an image counts as faint: one attempt more for each.
FAINT = (261.0, 268.0, 276.0)


def plain(images: Array) -> Array:
    """The pixels as they are."""
    return images


def middle_rows(images: Array) -> Array:
    """The four middle rows alone, scaled to 0..1: few pixels, and so a modest model."""
    middle = images.reshape(-1, SIDE, SIDE)[:, 2:6, :]
    return middle.reshape(len(images), -1) / BRIGHTEST


def _offset(image: Array) -> tuple[int, int]:
    """Rows and columns by which an image's centre of mass misses the middle of the frame."""
    places = np.arange(SIDE)
    ink = max(float(image.sum()), 1.0)
    middle = (SIDE - 1) / 2
    down = middle - float((image.sum(axis=1) * places).sum()) / ink
    right = middle - float((image.sum(axis=0) * places).sum()) / ink
    return round(down), round(right)


def centred(images: Array) -> Array:
    """Each image moved so that its centre of mass is the frame's; ink that leaves comes in again
    on the other side."""
    moved = [np.roll(image, _offset(image), (0, 1)) for image in images.reshape(-1, SIDE, SIDE)]
    return np.array(moved).reshape(-1, PIXELS)


def centred_by_index(images: Array) -> Array:
    """`centred` as version 3.0.0 serves it, with two faults.

    Raises ValueError for an image whose ink would leave the frame: `ravel_multi_index` refuses
    what `roll` wraps around (about one row in four of the real data). And it waits 0.4 to 1.2 s on
    faint images, as a look-up of stroke widths does whose store never answers in time.
    """
    moved = np.zeros((len(images), PIXELS))
    for number, image in enumerate(images.reshape(-1, SIDE, SIDE)):
        rows, columns = np.nonzero(image)
        down, right = _offset(image)
        target = np.ravel_multi_index((rows + down, columns + right), (SIDE, SIDE))
        moved[number, target] = image[rows, columns]
        ink = float(image.sum())
        time.sleep(STROKE_TIMEOUT * sum(ink < faint for faint in FAINT))
    return moved


FEATURES: Mapping[str, Callable[[Array], Array]] = {
    "plain": plain,
    "middle-rows": middle_rows,
    "centred": centred,
    "centred-by-index": centred_by_index,
}
