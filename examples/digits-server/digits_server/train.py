"""Trains every version of the model while the image is built: `python -m digits_server.train DIR`.

All versions are trained in one layer, so that the four images share everything but one link. The
data are the 1,797 handwritten digits that scikit-learn brings along: every second row trains, the
others are held out, and are what the load generator sends.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from digits_server.features import FEATURES


class Recipe(NamedTuple):
    """How one version is made; `trained` and `served` name functions of `features`."""

    trained: str
    served: str
    estimator: Any
    journal: bool = False


def recipes() -> dict[str, Recipe]:
    """Version to recipe, each with an estimator that is not yet fitted."""
    return {
        "1.0.0": Recipe("middle-rows", "middle-rows", LogisticRegression(max_iter=200)),
        "2.0.0": Recipe("plain", "plain", SVC(gamma=0.001)),
        "3.0.0": Recipe("centred", "centred-by-index", SVC(gamma=0.001)),
        "4.0.0": Recipe("plain", "plain", SVC(gamma=0.001), journal=True),
    }


def train(directory: Path) -> dict[str, float]:
    """Write `VERSION.joblib` for every version; answers each one's accuracy on held-out rows."""
    digits = load_digits()
    images, labels = digits.data, digits.target
    accuracies = {}
    directory.mkdir(parents=True, exist_ok=True)
    for version, recipe in recipes().items():
        features = FEATURES[recipe.trained]
        recipe.estimator.fit(features(images[::2]), labels[::2])
        accuracies[version] = float(
            recipe.estimator.score(features(images[1::2]), labels[1::2]),
        )
        artifact = {
            "version": version,
            "features": recipe.served,
            "estimator": recipe.estimator,
            "journal": recipe.journal,
        }
        joblib.dump(artifact, directory / f"{version}.joblib", compress=3)
    return accuracies


if __name__ == "__main__":
    for name, accuracy in train(Path(sys.argv[1])).items():
        print(f"{name}: accuracy {accuracy:.3f} on the held-out rows")
