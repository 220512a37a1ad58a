"""The pass cache: what is made again, what is taken as it was, and what happens when the cache is not what it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest
from studio import Stencil, write_photograph, write_scenes

from kroma_nb import run
from kroma_nb.blobs import sha256_bytes, sha256_file
from kroma_nb.model.brief import Brief, Painted
from kroma_nb.model.plan import Plan, PlanRequest, PostprocessRequest
from kroma_nb.model.runlog import CandidateRecord, RunLog
from kroma_nb.model.words import RunStatus, Stage, TimeOfDay, Weather
from kroma_nb.planning import plan
from kroma_nb.run.environment import code_class
from kroma_nb.workbench import Project, open_workbench
from kroma_nb.workbench.following import followed

WARM = PostprocessRequest(color=True, color_profile="cinematic_warm")


@pytest.fixture
def story(tmp_path: Path) -> Project:
    return open_workbench(tmp_path / "home").create_project("noir")


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "scenes", 3)


@dataclass
class Studio:
    """Plays plans over a folder of scenes, and counts what a real painter has drawn."""

    story: Project
    scenes: Path
    limit_bytes: int = 10**9
    version: str = "test"

    def __post_init__(self) -> None:
        self.drawn: list[Brief] = []

    @property
    def cache(self) -> run.PassCache:
        return run.PassCache(self.story.root / "cache", self.limit_bytes)

    def plan(self, **asked: object) -> Plan:
        request = PlanRequest(project="noir", root=self.scenes, manifest_path=self.scenes / "manifest.json", **asked)
        return plan(request)

    def play(self, planned: Plan, *, before: Callable[[Brief], None] = lambda _: None, workers: int = 2) -> RunLog:
        self.drawn.clear()

        def seen(brief: Brief) -> None:
            before(brief)
            self.drawn.append(brief)

        painter = Stencil(version=self.version, before=seen)
        with ThreadPoolExecutor(workers) as threads:
            equipment = run.Equipment(executor=threads, cache=self.cache)
            events = list(run.execute(planned, root=self.story.root, painter=painter, equipment=equipment))
        log = run.read_run(self.story.root / "runs" / events[0].run_id)
        assert log.status is RunStatus.OK
        for candidate in of(log):
            for record in candidate.passes:
                assert sha256_file(self.story.root / record.output.path) == record.output.sha256
        return log


@pytest.fixture
def studio(story: Project, scenes: Path) -> Studio:
    return Studio(story, scenes)


def of(log: RunLog) -> list[CandidateRecord]:
    return [candidate for job in log.jobs for candidate in job.candidates]


def computed(log: RunLog) -> Counter[tuple[str, str]]:
    """Count by scene and pass what was not reused."""
    passes = ((job.scene_ref, one) for job in log.jobs for c in job.candidates for one in c.passes)
    return Counter((scene, one.name.value) for scene, one in passes if not one.reused)


def results(log: RunLog) -> list[object]:
    """Give all that a candidate's record says of its pictures, except where they lie."""
    return [
        (
            [(one.output.sha256, one.output.size_bytes, one.width, one.height) for one in c.passes],
            c.output_guard.model_copy(update={"file": ""}) if c.output_guard else None,
            c.notes,
        )
        for c in of(log)
    ]


def answers(cache: run.PassCache, kind: str) -> list[Path]:
    found = sorted((cache.root / "answers").rglob("*.json"))
    return [path for path in found if json.loads(path.read_text())["schema"].startswith(f"kroma_nb.{kind}/")]


def test_an_unchanged_rerun_draws_computes_and_measures_nothing(studio) -> None:
    first = studio.play(studio.plan(postprocess=WARM))
    inodes = {path: path.stat().st_ino for path in studio.cache.root.rglob("*") if path.is_file()}

    again = studio.play(studio.plan(postprocess=WARM))

    assert computed(first).total() == 12
    assert (studio.drawn, computed(again)) == ([], Counter())
    assert results(again) == results(first)
    # The guard has measured nothing either: no answer was written, new or anew.
    assert {path: path.stat().st_ino for path in studio.cache.root.rglob("*") if path.is_file()} == inodes


def test_what_was_reused_is_the_same_file_byte_for_byte_read_only_and_ones_own(studio) -> None:
    first = studio.play(studio.plan())
    again = studio.play(studio.plan())

    for before, after in zip(of(first), of(again), strict=True):
        one, other = studio.story.root / before.output, studio.story.root / after.output
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_ino != other.stat().st_ino
        assert {path.stat().st_mode & 0o777 for path in (one, other)} == {0o444}
    studio.story.runs[again.run_id].delete()
    assert not (studio.story.root / "runs" / again.run_id).exists()
    assert all((studio.story.root / c.output).exists() for c in of(first))


def three_stages(studio: Studio) -> list[RunLog]:
    """Draw style, night and rain, each after the winners of the one before."""
    logs = [studio.play(studio.plan(postprocess=WARM))]
    drawn = len(studio.drawn)
    for stage in (Stage.TIME, Stage.WEATHER):
        follows = followed(studio.story.runs, logs[-1].run_id, stage)
        weather = Weather.RAIN if stage is Stage.WEATHER else Weather.CLEAR
        words = {"stage": stage, "time": TimeOfDay.NIGHT, "weather": weather, "follows": follows}
        logs.append(studio.play(studio.plan(postprocess=WARM, **words)))
        drawn += len(studio.drawn)
    assert drawn == sum(times for log in logs for (_, name), times in computed(log).items() if name == "generate")
    return logs


def test_one_edited_scene_of_twenty_is_made_again_with_its_descendants_and_nothing_else(tmp_path, story) -> None:
    studio = Studio(story, write_scenes(tmp_path / "twenty", 20, candidates=2))
    before = three_stages(studio)
    write_photograph(studio.scenes / "scene_7.png", 777)

    after = three_stages(studio)

    assert [computed(log).total() for log in before] == [80, 80, 80]
    assert [computed(log) for log in after] == [{("scene_7.png", "generate"): 2, ("scene_7.png", "color"): 2}] * 3
    for one, other in zip(before, after, strict=True):
        for old, new in zip(one.jobs, other.jobs, strict=True):
            same = [c.seeds for c in old.candidates] == [c.seeds for c in new.candidates]
            assert same is (old.scene_ref != "scene_7.png")


def test_another_colour_profile_makes_only_the_colour_again(studio) -> None:
    studio.play(studio.plan(postprocess=WARM))

    other = studio.play(studio.plan(postprocess=PostprocessRequest(color=True, color_profile="neutral")))

    assert studio.drawn == []
    assert {name for _, name in computed(other)} == {"color"}
    assert computed(other).total() == 6


def test_another_painter_version_draws_again(studio) -> None:
    studio.play(studio.plan())
    studio.version = "test-2"

    again = studio.play(studio.plan())

    assert (len(studio.drawn), computed(again).total()) == (6, 6)


def elsewhere(home: Path, scenes: Path) -> tuple[str, int]:
    studio = Studio(open_workbench(home).project("noir"), scenes)
    return code_class(), computed(studio.play(studio.plan())).total()


def test_what_another_class_of_code_has_made_is_not_served(studio, monkeypatch) -> None:
    """A process without some features of the processor computes for itself, and leaves the others their pictures."""
    studio.play(studio.plan())
    monkeypatch.setenv("OPENCV_CPU_DISABLE", "AVX2,FMA3")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        other, made = pool.submit(elsewhere, studio.story.bench.home, studio.scenes).result()

    assert made == (0 if other == code_class() else 6)
    assert computed(studio.play(studio.plan())).total() == 0


def ruin_cut(path: Path) -> None:
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data[: len(data) // 2])


def ruin_flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def ruin_empty(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"")


def ruin_gone(path: Path) -> None:
    path.unlink()


def ruin_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("ruin", [ruin_cut, ruin_flip, ruin_empty, ruin_gone, ruin_folder])
@pytest.mark.parametrize("what", ["pictures", "answers"])
def test_a_damaged_entry_counts_as_not_known_and_is_mended(studio, ruin, what) -> None:
    first = studio.play(studio.plan(postprocess=WARM))
    for path in sorted(path for path in (studio.cache.root / what).rglob("*") if path.is_file()):
        ruin(path)

    again = studio.play(studio.plan(postprocess=WARM))
    third = studio.play(studio.plan(postprocess=WARM))

    assert results(again) == results(first) == results(third)
    if ruin is not ruin_folder:
        assert computed(third) == Counter()
    # A colour pass that changes nothing gives the bytes that were drawn, which are there again by then.
    assert computed(again).total() >= (11 if what == "pictures" else 0 if ruin is ruin_flip else 12)


def sealed(document: dict) -> str:
    """Write an answer with the checksum that belongs to it, as somebody who knows the layout would."""
    rest = {name: told for name, told in document.items() if name != "seal"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return json.dumps(rest | {"seal": sha256_bytes(canonical.encode())}, sort_keys=True, separators=(",", ":"))


DAMAGED = {
    "width": ("made", {"width": -64}),
    "height": ("made", {"height": 97}),
    "part": ("made", {"part": [5, 5, 5, 5]}),
    "notes": ("made", {"notes": ["another note"]}),
    "chroma": ("found", {"chroma_delta": 99.0}),
    "seal": ("found", {"seal": "0" * 64}),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_an_answer_with_another_digit_than_was_written_is_not_believed_and_is_made_again(studio, name) -> None:
    kind, damage = DAMAGED[name]
    first = studio.play(studio.plan(postprocess=WARM))
    damaged = answers(studio.cache, kind)
    before = [path.read_bytes() for path in damaged]
    for path in damaged:
        path.write_text(json.dumps(json.loads(path.read_text()) | damage))

    again = studio.play(studio.plan(postprocess=WARM))

    assert results(again) == results(first)
    assert computed(again).total() == (12 if kind == "made" else 0)
    assert [path.read_bytes() for path in damaged] == before


def test_every_bit_of_an_answer_counts(studio) -> None:
    studio.play(studio.plan(candidates=1))
    path = answers(studio.cache, "made")[0]
    whole, key = path.read_bytes(), path.stem
    made = studio.cache.recall(key)

    for place in range(len(whole)):
        for bit in (1, 2, 32):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            assert studio.cache.recall(key) is None

    path.write_bytes(whole)
    assert studio.cache.recall(key) == made is not None


@pytest.mark.parametrize("size", [0, -64])
def test_no_checksum_makes_a_picture_without_pixels_an_answer(studio, size) -> None:
    studio.play(studio.plan(candidates=1))
    path = answers(studio.cache, "made")[0]
    told = json.loads(path.read_text())
    assert path.read_text() == sealed(told)

    path.write_text(sealed(told | {"width": size}))

    assert studio.cache.recall(path.stem) is None


@pytest.mark.parametrize("field", ["sha256", "size_bytes", "key"])
def test_an_answer_that_does_not_fit_its_picture_or_its_key_is_not_believed(studio, field) -> None:
    first = studio.play(studio.plan())
    one, *_, other = answers(studio.cache, "made")
    swapped = json.loads(one.read_text()) | {field: json.loads(other.read_text())[field]}
    if field == "size_bytes":
        swapped[field] += 1
    if field == "sha256":
        swapped[field] = "0" * 64
    one.write_text(sealed(swapped))

    again = studio.play(studio.plan())

    assert results(again) == results(first)
    assert computed(again).total() == 1


@pytest.mark.parametrize("text", [b"[]", b"null", b"\xff\xfe", b"{}", b'{"schema": "kroma_nb.made/3"}', b"[" * 100_000])
def test_foreign_files_among_the_answers_are_passed_over(studio, text) -> None:
    first = studio.play(studio.plan())
    for path in (studio.cache.root / "answers").rglob("*.json"):
        path.write_bytes(text)
    (studio.cache.root / "answers" / "notes.txt").write_text("not ours")

    assert results(studio.play(studio.plan())) == results(first)


def test_a_cache_that_is_deleted_in_the_middle_of_a_run_costs_only_time(studio) -> None:
    first = studio.play(studio.plan(postprocess=WARM))
    once = threading.Lock()
    write_photograph(studio.scenes / "scene_0.png", 50)

    def delete(_: Brief) -> None:
        if once.acquire(blocking=False):
            shutil.rmtree(studio.cache.root, ignore_errors=True)

    again = studio.play(studio.plan(postprocess=WARM), before=delete)

    assert results(again)[2:] == results(first)[2:]
    # How much of it was lost hangs on when each worker wrote; what is made once more is kept again.
    studio.play(studio.plan(postprocess=WARM))
    assert computed(studio.play(studio.plan(postprocess=WARM))).total() == 0


def test_a_folder_that_cannot_be_written_is_no_cache_and_no_hindrance(studio) -> None:
    studio.cache.root.write_text("a file where the folder should be")

    first, again = studio.play(studio.plan()), studio.play(studio.plan())

    assert results(first) == results(again)
    assert computed(again).total() == 6


def play_in_a_process(home: Path, scenes: Path) -> str:
    studio = Studio(open_workbench(home).project("noir"), scenes)
    return json.dumps([repr(one) for one in results(studio.play(studio.plan(candidates=4, postprocess=WARM)))])


def test_processes_that_write_the_same_cache_at_once_all_get_the_same_pictures(studio) -> None:
    home = studio.story.bench.home
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        found = set(pool.map(play_in_a_process, [home] * 3, [studio.scenes] * 3))

    assert len(found) == 1
    assert computed(studio.play(studio.plan(candidates=4, postprocess=WARM))) == Counter()
    assert not list(studio.cache.root.rglob("*.part"))


def test_it_holds_no_more_than_its_limit_and_keeps_what_was_used_last(studio) -> None:
    style = studio.plan()
    first = studio.play(style)
    whole = studio.cache.size_bytes()
    for age, path in enumerate(sorted(path for path in studio.cache.root.rglob("*") if path.is_file())):
        os.utime(path, (1_000_000_000 + age, 1_000_000_000 + age))
    studio.play(style)  # uses it all
    write_photograph(studio.scenes / "scene_0.png", 60)
    write_photograph(studio.scenes / "scene_1.png", 61)
    write_photograph(studio.scenes / "scene_2.png", 62)
    studio.limit_bytes = whole * 5 // 4

    newer = studio.play(studio.plan())

    assert studio.cache.size_bytes() <= studio.limit_bytes
    assert computed(newer).total() == 6
    assert computed(studio.play(studio.plan())) == Counter()
    assert len(answers(studio.cache, "made")) >= 6
    assert all((studio.story.root / c.output).exists() for c in of(first))


def settings(story: Project, cache_mb: int) -> None:
    (story.root / ".kroma" / "pipeline.settings.json").write_text(json.dumps({"cache_mb": cache_mb}))


def test_the_setting_says_how_much_is_kept_and_nought_keeps_none(tmp_path, story) -> None:
    folder = write_scenes(tmp_path / "s", 1, candidates=1)
    planned = story.plan(manifest=folder / "manifest.json")
    story.run(planned)
    kept = run.PassCache(story.root / "cache").size_bytes()
    settings(story, 0)

    again = story.run(planned)

    assert kept > 0
    assert run.PassCache(story.root / "cache").size_bytes() == 0
    assert computed(again.log).total() == 1


def test_a_lower_limit_holds_also_where_every_pass_is_known(tmp_path, story) -> None:
    folder = write_scenes(tmp_path / "s", 1, candidates=1)
    planned = story.plan(manifest=folder / "manifest.json")
    story.run(planned)
    old = story.root / "cache" / "pictures" / "00" / ("00" * 32)
    old.parent.mkdir(exist_ok=True)
    old.write_bytes(b"p" * 3_000_000)
    os.utime(old, (1, 1))

    story.run(planned)
    under_the_old = old.exists()
    settings(story, 1)
    again = story.run(planned)

    assert under_the_old
    assert computed(again.log) == Counter()
    assert run.PassCache(story.root / "cache").size_bytes() <= 1_000_000
    assert computed(story.run(planned).log) == Counter()


def test_a_cache_is_looked_through_only_after_something_was_kept_or_its_limit_was_lowered(studio) -> None:
    due = [studio.cache.is_due()]
    studio.play(studio.plan())
    due.append(studio.cache.is_due())
    studio.limit_bytes *= 2
    due.append(studio.cache.is_due())
    studio.limit_bytes //= 4
    due.append(studio.cache.is_due())
    studio.play(studio.plan())
    due.append(studio.cache.is_due())
    one = studio.cache.recall(answers(studio.cache, "made")[0].stem)
    studio.cache.keep(one, b"")
    due.append(studio.cache.is_due())

    assert due == [True, False, False, True, False, True]


PLAYED = """
import os, sys
from pathlib import Path
from test_cache import Studio, open_workbench
studio = Studio(open_workbench(Path(sys.argv[1])).project("noir"), Path(sys.argv[2]))
studio.play(studio.plan(), before=lambda _: os._exit(9) if len(studio.drawn) == 3 else None, workers=1)
"""


def test_what_a_killed_run_has_kept_is_held_to_the_limit_by_whoever_opens_the_project_next(studio) -> None:
    studio.play(studio.plan())
    home, tests = studio.story.bench.home, Path(__file__).parent
    write_photograph(studio.scenes / "scene_0.png", 70)
    write_photograph(studio.scenes / "scene_1.png", 71)
    settings(studio.story, 1)
    old = studio.story.root / "cache" / "pictures" / "00" / ("00" * 32)
    old.parent.mkdir(exist_ok=True)
    old.write_bytes(b"p" * 3_000_000)
    os.utime(old, (1, 1))
    paths = os.pathsep.join([str(tests), str(tests.parent), *sys.path])

    killed = subprocess.run(
        [sys.executable, "-c", PLAYED, str(home), str(studio.scenes)],
        env=os.environ | {"PYTHONPATH": paths},
        check=False,
    )
    after = studio.cache.size_bytes()
    statuses = [row.status for row in open_workbench(home).project("noir").runs.rows()]

    assert killed.returncode == 9
    assert after > 1_000_000
    assert RunStatus.INTERRUPTED in statuses
    assert studio.cache.size_bytes() <= 1_000_000


def test_status_says_how_much_is_kept_and_gc_trims_it(story, studio) -> None:
    studio.play(studio.plan())
    kept = story.bench.status().cache_bytes
    would, limit = story.bench.gc(dry_run=True), story.bench.gc()
    settings(story, 0)

    dry = story.bench.gc(dry_run=True)
    there = studio.cache.size_bytes()
    did = story.bench.gc()

    assert kept == there > 0
    assert "in pass caches" in repr(story.bench.status())
    assert (would.found, limit.found) == ((), ())
    assert [(one.path, one.size_bytes) for one in dry.found] == [("var/projects/noir/cache", there)]
    assert (did.found, studio.cache.size_bytes()) == (dry.found, 0)


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "grey": lambda page: page,
    "soft grey": lambda page: cv2.GaussianBlur(page, (0, 0), 2),
    "grey in three": lambda page: np.repeat(cv2.GaussianBlur(page, (0, 0), 2)[..., None], 3, axis=2),
    "two colours": lambda page: np.where(page[..., None] > 0, [250, 240, 225], [20, 16, 30]).astype(np.uint8),
    "colour": lambda page: np.dstack([page, 255 - page, cv2.GaussianBlur(page, (0, 0), 3)]),
    "see-through": lambda page: np.dstack([page, page, 255 - page, cv2.GaussianBlur(page, (0, 0), 3)]),
    "grey and see-through": lambda page: np.dstack([page, page, page, 255 - page // 2]),
    "opaque": lambda page: np.dstack([page, 255 - page, page, np.full_like(page, 255)]),
}


@dataclass(frozen=True)
class Inker(Stencil):
    """A stencil whose page comes in any shape that a picture may have."""

    kind: str = "grey"

    def paint(self, scene: np.ndarray, brief: Brief) -> Painted:
        painted = super().paint(scene, brief)
        return replace(painted, picture=KINDS[self.kind](painted.picture))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", ["cinematic_warm", "neutral"])
def test_a_page_is_coloured_and_judged_alike_from_memory_and_from_its_file(studio, kind, profile) -> None:
    plain = studio.plan(candidates=1)
    coloured = studio.plan(candidates=1, postprocess=PostprocessRequest(color=True, color_profile=profile))

    def play(planned: Plan, equipment: run.Equipment) -> RunLog:
        events = list(run.execute(planned, root=studio.story.root, painter=Inker(kind=kind), equipment=equipment))
        return run.read_run(studio.story.root / "runs" / events[0].run_id)

    from_memory = play(coloured, run.Equipment())
    play(plain, run.Equipment(cache=studio.cache))
    from_file = play(coloured, run.Equipment(cache=studio.cache))
    from_cache = play(coloured, run.Equipment(cache=studio.cache))

    assert [one.reused for c in of(from_file) for one in c.passes] == [True, False] * 3
    assert [one.reused for c in of(from_cache) for one in c.passes] == [True, True] * 3
    assert results(from_memory) == results(from_file) == results(from_cache)
