"""Small real things that tests draw with: photographs and a painter that needs no time."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kroma_nb import run
from kroma_nb.model.brief import Brief, Painted, Palette
from kroma_nb.model.finishing import Finishers
from kroma_nb.model.plan import Plan, PlanRequest, PostprocessRequest
from kroma_nb.planning import plan
from kroma_nb.providers.grabcut import GrabCut
from kroma_nb.providers.ink import InkPainter
from kroma_nb.providers.lanczos import LanczosUpscaler

if TYPE_CHECKING:
    from kroma_nb.workbench import Workbench


def photograph(seed: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Soft shapes and grain, different for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    soft = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    return np.clip(soft + rng.integers(-6, 7, soft.shape), 0, 255).astype(np.uint8)


def posed(seed: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A figure that stands before a soft ground, different for each seed."""
    picture = photograph(seed, width, height) // 4 + 30
    middle = (width // 2, height // 2)
    cv2.ellipse(picture, middle, (width // 6, height // 3), 0, 0, 360, (250, 200 - 9 * (seed % 9), 160), -1)
    return picture


def die(_: object) -> None:
    """End the process that this is called in, as a crash would."""
    os._exit(1)


def _nothing(_: object) -> None:
    pass


@dataclass(frozen=True)
class Stencil:
    """A painter that cuts the scene at a level that its seed chooses."""

    provider: str = "ink"
    model: str = "noir-1"
    version: str = "test"
    fails_on: frozenset[int] = frozenset()
    raises: type[Exception] = RuntimeError
    before: Callable[[Brief], None] = _nothing

    def study(self, references: Sequence[np.ndarray]) -> Palette | None:
        return Palette(paper=(250, 250, 250), ink=(5, 5, 5)) if references else None

    def paint(self, scene: np.ndarray, brief: Brief) -> Painted:
        self.before(brief)
        if brief.seeds.of(brief.stage) in self.fails_on:
            raise self.raises("the pen broke")
        grey = scene if scene.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(scene), cv2.COLOR_RGB2GRAY)
        page = cv2.resize(grey, (brief.size.width, brief.size.height), interpolation=cv2.INTER_AREA)
        level = 100 + brief.seeds.of(brief.stage) % 56
        return Painted(np.where(page > level, 255, 0).astype(np.uint8), notes=("cut with a stencil",))


def write_photograph(path: Path, seed: int, width: int = 64, height: int = 48) -> None:
    cv2.imwrite(str(path), photograph(seed, width, height)[:, :, ::-1])


def damage(path: Path) -> None:
    """Spoil a PNG's pixels in a way that only decoding finds: header, length and checksums stay right."""
    data = bytearray(path.read_bytes())
    start = data.index(b"IDAT")
    (length,) = struct.unpack_from(">I", data, start - 4)
    for offset in range(start + 4 + length // 2, start + 4 + length // 2 + 40):
        data[offset] ^= 0x55
    struct.pack_into(">I", data, start + 4 + length, zlib.crc32(data[start : start + 4 + length]))
    path.write_bytes(data)


def play(planned: Plan, project: Path, workers: int) -> int:
    """Play a plan with the ink engine on so many threads and count the candidates."""
    with ThreadPoolExecutor(workers) as threads:
        events = run.execute(planned, root=project, painter=InkPainter(), equipment=run.Equipment(executor=threads))
        return sum(event.event == "candidate_finished" for event in events)


def finish_scenes(folder: Path, project: Path, names: tuple[str, ...], workers: int = 1) -> int:
    """Draw scenes in no time, take each page through every pass, and count those that are done."""
    asked = PostprocessRequest(bg_remove=True, upscale=True, color_profile="cinematic_warm", color=True)
    planned = plan(PlanRequest(project="ink", root=folder, scene_refs=names, candidates=1, postprocess=asked))
    with ThreadPoolExecutor(workers) as threads:
        equipment = run.Equipment(executor=threads, finishers=Finishers((GrabCut(),), LanczosUpscaler()))
        events = run.execute(planned, root=project, painter=Stencil(), equipment=equipment)
        return sum(event.event == "candidate_finished" and event.outcome.status == "done" for event in events)


def play_scenes(folder: Path, project: Path, names: tuple[str, ...]) -> int:
    """Plan and play some scenes of a folder with one worker, in whatever process this is called."""
    return play(plan(PlanRequest(project="ink", root=folder, scene_refs=names, candidates=2)), project, workers=1)


# What the index keeps for itself: it is no fact of a project.
OF_THE_INDEX = {"alembic_version", "run_files", "project_files"}


def dump(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Give every row of every table, sorted, so that two databases can be compared."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as rows:
        names = [name for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {
            name: sorted(rows.execute(f"SELECT * FROM {name}"), key=repr) for name in names if name not in OF_THE_INDEX
        }


def draw(bench: Workbench, slug: str, scenes: Path, *, painter: Stencil | None = None, **asked: object) -> str:
    """Make a run of small pages with a painter that needs no time, as `Project.run` does, and give its id."""
    project = bench.create_project(slug)
    request = PlanRequest(project=slug, root=scenes, manifest_path=scenes / "manifest.json", **asked)
    run_id = ""
    for event in run.execute(plan(request), root=project.root, painter=painter or Stencil()):
        run_id = event.run_id if event.event == "run_started" else run_id
    bench.index.note(project, run_id)
    return run_id


def write_scenes(folder: Path, count: int, *, candidates: int = 2, style: bool = True) -> Path:
    """Write photographs, a style sheet and a manifest that draws small pages of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        write_photograph(folder / f"scene_{number}.png", number)
    write_photograph(folder / "sheet.png", 99)
    manifest = {
        "scenes": [{"ref": f"scene_{number}.png"} for number in range(count)],
        "style_refs": ["sheet.png"] if style else [],
        "generation": {"candidates": candidates, "size": "64x96"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
