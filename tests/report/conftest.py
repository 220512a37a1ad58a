"""A story to report on: run logs and the pictures that they name, held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kroma_nb import images
from kroma_nb.model.brief import Hand, Palette, Seeds, Size
from kroma_nb.model.plan import Followed, Generation
from kroma_nb.model.postprocess import PostprocessPlan
from kroma_nb.model.quality import FileReport, GuardSettings, Measures, Rank
from kroma_nb.model.run import Environment, Failure, PassRecord, StoredFile
from kroma_nb.model.runlog import CandidateRecord, InputRecord, JobRecord, RunLog
from kroma_nb.model.words import CandidateStatus, Gate, JobStatus, PassName, RunStatus, Stage, TimeOfDay, Weather

if TYPE_CHECKING:
    from collections.abc import Callable

PORTRAIT = Size(width=120, height=180)
BEGIN = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
ENVIRONMENT = Environment(
    kroma_nb="0.1.0", python="3.11.2", platform="Linux x86_64", libraries={}, cpu_features=(), opencv_build="5.0.0"
)


def page(seed: int, size: Size) -> np.ndarray:
    """Draw a page of a few strokes, another one for every seed."""
    rows, columns = np.mgrid[: size.height, : size.width]
    angle = 0.35 + 0.2 * (seed % 7)
    waves = np.sin((np.cos(angle) * columns + np.sin(angle) * rows) / (3 + seed % 5))
    return np.where(waves > 0.4, 20, 235).astype(np.uint8)


@dataclass
class Story:
    """Builds runs one after another; `files` is what `pictures` reads."""

    size: Size = PORTRAIT
    files: dict[str, bytes] = field(default_factory=dict)

    def pictures(self, path: str) -> bytes:
        """Give a stored file."""
        return self.files[path]

    def keep(self, path: str, data: bytes) -> StoredFile:
        """Store a file."""
        self.files[path] = data
        return StoredFile(path=path, sha256=sha256(data).hexdigest(), size_bytes=len(data))

    def source(self, ref: str) -> InputRecord:
        """Store an input picture that is made of its name."""
        data = images.encode_png(page(sum(map(ord, ref)), self.size), text={"Title": ref})
        digest = sha256(data).hexdigest()
        file = self.keep(f"inputs/{digest[:2]}/{digest}.png", data)
        return InputRecord(ref=ref, file=file, media_type="image/png", width=self.size.width, height=self.size.height)

    def drawn(self, path: str, number: int, **changes: object) -> CandidateRecord:
        """Give a candidate with its picture stored."""
        return self.finished(path, number, images.encode_png(page(number * 3 + len(path), self.size)), **changes)

    def finished(self, path: str, number: int, data: bytes, **changes: object) -> CandidateRecord:
        """Give a candidate whose picture is given."""
        file, ended = self.keep(path, data), BEGIN + timedelta(seconds=4.2)
        source = StoredFile(path="inputs/scene.png", sha256="a" * 64, size_bytes=1)
        made = PassRecord(
            name=PassName.GENERATE,
            input=source,
            output=file,
            backend="local",
            version="ink 1",
            started_at=BEGIN,
            finished_at=ended,
        )
        facts: dict[str, object] = {
            "candidate_index": number,
            "status": CandidateStatus.DONE,
            "output": path,
            "final_output": path,
            "rank": Rank(hard_failures=0, soft_warnings=0, quality=0.9 - number / 20, position=number),
            "seeds": Seeds(style=1000 + number, time=2000 + number, weather=3000 + number),
            "provider": "local",
            "model": "ink-1",
            "started_at": BEGIN,
            "finished_at": ended,
            "passes": (made,),
            "output_guard": self.report(path),
        }
        return CandidateRecord.model_validate({**facts, **changes})

    def report(self, path: str, **changes: object) -> FileReport:
        """Give a guard's report on a sound picture."""
        measures = Measures(
            width=120,
            height=180,
            channels=1,
            sharpness=0.8,
            clipping=0.0,
            noise=0.4,
            contrast=0.9,
            ink=0.3,
            drawn=0.9,
            blank=False,
        )
        facts = {"file": path, "chroma_delta": 0.0, "grayscale_like": True, "measures": measures, "quality": 0.8}
        return FileReport.model_validate({**facts, **changes})

    def failed(self, number: int, status: CandidateStatus, failure: Failure | None = None) -> CandidateRecord:
        """Give a candidate that never had a picture."""
        return CandidateRecord(
            candidate_index=number,
            status=status,
            output=None,
            final_output=None,
            rank=Rank(hard_failures=1, soft_warnings=0),
            seeds=Seeds(style=1, time=2, weather=3),
            provider="local",
            model="ink-1",
            started_at=BEGIN,
            finished_at=BEGIN,
            failure=failure,
        )

    def job(self, scene: InputRecord, candidates: tuple[CandidateRecord, ...], **changes: object) -> JobRecord:
        """Give a job on a scene; the candidate in position 1 wins."""
        winner = next((c.candidate_index for c in candidates if c.rank.position == 1), None)
        facts: dict[str, object] = {
            "id": "harbour",
            "name": "Harbour at dawn",
            "mode": Stage.STYLE,
            "time": TimeOfDay.DAY,
            "weather": Weather.CLEAR,
            "scene_sha256": scene.file.sha256,
            "scene_ref": scene.ref,
            "input_images": (scene.file.path,),
            "prompt": "Noir ink page.",
            "size": self.size,
            "status": JobStatus.DONE if winner else JobStatus.FAILED,
            "planned_candidates": len(candidates),
            "selected_candidate": winner,
            "final_output": None,
            "candidates": candidates,
        }
        return JobRecord.model_validate({**facts, **changes})

    def run(self, inputs: tuple[InputRecord, ...], jobs: tuple[JobRecord, ...], **changes: object) -> RunLog:
        """Give a run log."""
        facts: dict[str, object] = {
            "run_id": "20261122T180000.000Z-ab12",
            "timestamp": BEGIN,
            "finished_at": BEGIN + timedelta(seconds=75),
            "status": RunStatus.OK,
            "project": "Night Harbour",
            "stage": jobs[0].mode if jobs else Stage.STYLE,
            "time": TimeOfDay.DAY,
            "weather": Weather.CLEAR,
            "gate": Gate.OFF,
            "provider": "local",
            "model": "ink-1",
            "generation": Generation(candidates=3, max_candidates=8, seed=7, hand=Hand()),
            "palette": Palette(paper=(244, 238, 222), ink=(22, 24, 30)),
            "postprocess_plan": PostprocessPlan(),
            "guard": GuardSettings(),
            "plan_sha256": "b" * 64,
            "environment": ENVIRONMENT,
            "inputs": inputs,
            "jobs": jobs,
        }
        return RunLog.model_validate({**facts, **changes})

    def simple(self, name: str = "Harbour at dawn", candidates: int = 3, **changes: object) -> RunLog:
        """Give a run of one scene with everything in order."""
        scene = self.source("photos/harbour.jpg")
        drawn = tuple(self.drawn(f"runs/r1/outputs/harbour__c{n}.png", n) for n in range(1, candidates + 1))
        return self.run((scene,), (self.job(scene, drawn, name=name),), **changes)

    def chain(self) -> tuple[RunLog, ...]:
        """Give style, time and weather runs of one scene, each following the one before."""
        scene = self.source("photos/harbour.jpg")
        logs: list[RunLog] = []
        for number, stage in enumerate((Stage.STYLE, Stage.TIME, Stage.WEATHER), 1):
            drawn = tuple(self.drawn(f"runs/r{number}/outputs/harbour__c{n}.png", n) for n in (1, 2))
            job = self.job(scene, drawn, mode=stage, follows=follow(logs[-1]) if logs else None)
            logs.append(self.run((scene,), (job,), run_id=f"r{number}", stage=stage))
        return tuple(logs)


def follow(log: RunLog) -> Followed:
    """Follow the winner of a run's first job."""
    job = log.jobs[0]
    winner = job.winner
    assert winner is not None
    assert winner.final is not None
    return Followed(
        scene_sha256=job.scene_sha256,
        stage=job.mode,
        run_id=log.run_id,
        job_id=job.id,
        candidate=winner.candidate_index,
        sha256=winner.final.sha256,
        seeds=winner.seeds,
    )


@dataclass
class Node:
    """An element of a parsed page."""

    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, as a reader gets it."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def classes(self) -> list[str]:
        """The classes of the element."""
        return self.attributes.get("class", "").split()

    def all(self, tag: str = "", cls: str = "") -> list[Node]:
        """Find elements inside by tag and class, in order."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                fits = tag in {"", child.tag} and (not cls or cls in child.classes)
                found += [child] * fits + child.all(tag, cls)
        return found

    def one(self, tag: str = "", cls: str = "") -> Node:
        """Find the only element of a kind."""
        (found,) = self.all(tag, cls)
        return found


class Parser(HTMLParser):
    """Reads a page as a browser would, and complains where an element is not closed in order."""

    VOID = frozenset({"img", "link", "meta", "rect"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in self.VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"</{tag}> closes <{closed.tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Node:
    """Parse a page whose elements are all closed."""
    parser = Parser()
    parser.feed(html)
    parser.close()
    assert parser.open == [parser.root]
    return parser.root


@pytest.fixture
def read_page() -> Callable[[str], Node]:
    """Give the parser of pages."""
    return parse


@pytest.fixture
def story() -> Story:
    """Give a builder of runs with its own files."""
    return Story()
