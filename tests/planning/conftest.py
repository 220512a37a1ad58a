"""A small story on disk: pictures, a manifest and requests about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kroma_nb.images import encode_png
from kroma_nb.model.plan import PlanRequest


@dataclass(frozen=True)
class Story:
    """A folder with pictures whose bytes follow from their names."""

    root: Path

    def picture(self, ref: str, *, content: str | None = None, size: tuple[int, int] = (30, 20)) -> Path:
        """Write a picture of (width, height) pixels; the same content gives the same bytes."""
        tone = sum((content or ref).encode()) % 251
        pixels = np.full((size[1], size[0], 3), tone, np.uint8)
        path = self.root / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(pixels, text={"Title": content or ref}))
        return path

    def write(self, name: str, data: Any) -> Path:
        """Write JSON, or text as it is."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        return path

    def request(self, **fields: Any) -> PlanRequest:
        """Ask for a plan of this folder."""
        return PlanRequest(**{"project": "demo", "root": self.root, **fields})

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Give every file's time and bytes, and every folder's time."""
        return {
            str(path.relative_to(self.root)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in sorted(self.root.rglob("*"))
        }


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Give an empty folder to tell a story in."""
    root = tmp_path / "story"
    root.mkdir()
    return Story(root)


@pytest.fixture
def told(story: Story) -> Story:
    """Give a story of three scenes and one style reference, with a manifest."""
    for name in ("harbour", "stairs", "attic"):
        story.picture(f"photos/{name}.png")
    story.picture("styles/look.png")
    story.write(
        "manifest.json",
        {
            "scene_refs": ["photos/harbour.png", "photos/stairs.png", "photos/attic.png"],
            "style_refs": ["styles/look.png"],
        },
    )
    return story
