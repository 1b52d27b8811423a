"""The bill of materials is what the lock file says."""

from __future__ import annotations

from pathlib import Path

from hack import sbom
from hack.demo.installing import ROOT


def test_the_bill_of_materials_names_each_locked_distribution_with_its_hashes(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    sbom.write(first)
    sbom.write(second)
    assert first.read_bytes() == second.read_bytes()
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    locked = dict(line.removesuffix(" \\").split("==") for line in lines if "==" in line)
    named = sbom.distributions(first)
    assert named.pop("headgate")
    assert named == locked
    assert first.read_text().count('"alg": "SHA-256"') == sum("--hash" in line for line in lines)
