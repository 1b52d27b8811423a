"""placeholder"""
from pathlib import Path
def build_archive(context: Path, dockerfile: Path, tag: str) -> Path: raise RuntimeError
