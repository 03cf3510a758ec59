"""Keeps the figures that benchmarks measure, for the README."""

import json
from pathlib import Path
from typing import Any

__all__ = ["PLACE", "save"]

PLACE = Path(__file__).with_name("labelling.json")


def save(name: str, figures: dict[str, Any]) -> None:
    """Put figures into the file, under the name of what was measured."""
    found = json.loads(PLACE.read_text("utf-8")) if PLACE.exists() else {}
    found[name] = figures
    PLACE.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", "utf-8")
