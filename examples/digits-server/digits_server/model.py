"""The model as the server holds it: loaded from a file, asked for predictions.

Between `features` and `app`. scikit-learn is imported by the loading itself, so the server
answers its probes while that still goes on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digits_server.features import BRIGHTEST, FEATURES, PIXELS, Array


class InvalidInputError(ValueError):
    """The body of a request is no list of images; the message says why, to the caller."""


@dataclass(frozen=True)
class Model:
    """A fitted estimator and the features it reads; `journal` says whether predictions are kept."""

    version: str
    features: Callable[[Array], Array]
    estimator: Any
    journal: bool

    def predict(self, images: Array) -> list[int]:
        """One digit for each image of shape (n, 64); raises what the features raise."""
        return [int(digit) for digit in self.estimator.predict(self.features(images))]


def load(path: Path) -> Model:
    """Read what `train` wrote; a directory means `model.joblib` in it.

    Raises OSError or KeyError for a file that is missing or no artifact of ours.
    """
    import joblib

    artifact = joblib.load(path / "model.joblib" if path.is_dir() else path)
    return Model(
        version=artifact["version"],
        features=FEATURES[artifact["features"]],
        estimator=artifact["estimator"],
        journal=artifact["journal"],
    )


def images_of(body: bytes) -> Array:
    """The images in a request's body `{"instances": [[64 numbers from 0 to 16], …]}`.

    Raises InvalidInputError with a sentence for the caller.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InvalidInputError(f"the body is not JSON: {error}") from error
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise InvalidInputError(
            'the body must be {"instances": [[64 numbers], …]} with at least one row'
        )
    for number, row in enumerate(instances):
        if not isinstance(row, list) or len(row) != PIXELS:
            raise InvalidInputError(f"instance {number} must be a list of {PIXELS} numbers")
        for value in row:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidInputError(f"instance {number} holds something that is no number")
            if not (math.isfinite(value) and 0 <= value <= BRIGHTEST):
                raise InvalidInputError(
                    f"instance {number} holds {value}, which is not from 0 to 16"
                )
    return np.array(instances, dtype=np.float64)
