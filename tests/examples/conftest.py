"""Makes the digits server importable, and trains its models once for all tests here."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES / "digits-server"))

from digits_server.features import Array  # noqa: E402
from digits_server.train import train  # noqa: E402


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `VERSION.joblib` for every version."""
    directory = tmp_path_factory.mktemp("models")
    train(directory)
    return directory


@pytest.fixture(scope="session")
def images() -> Array:
    """The rows of the data set that no version was trained on."""
    held_out: Array = load_digits().data[1::2].astype(np.float64)
    return held_out
