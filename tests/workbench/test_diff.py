"""What differs between two runs: every planted change is listed, with what follows from it, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from studio import Stencil, draw, write_photograph, write_scenes

import kroma_nb as kn
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.diff import Section
from kroma_nb.model.money import Money
from kroma_nb.model.plan import PostprocessRequest
from kroma_nb.model.words import Stage, TimeOfDay
from kroma_nb.workbench import Run, Workbench, marking
from kroma_nb.workbench.following import followed

Document = dict[str, Any]
S = Section

MANIFEST = {
    "scenes": [
        {"ref": "scene_0.png", "name": "Quay"},
        {"ref": "scene_1.png", "name": "Tower", "prompt": "Keep the lamp lit."},
    ],
    "style_refs": ["sheet.png", "hand.png"],
    "generation": {"candidates": 2, "size": "64x96"},
    "output_guard": {"max_chroma_delta": 2.0},
}
PROFILES = {"profiles": {"dusk": {"gamma": 1.1, "saturation": 0.9}}}
POSTPROCESS = {"color": {"default_profile": "dusk", "settings_file": "profiles.json"}}


@dataclass
class Studio:
    """A workspace with one run, and the files that it was made of."""

    bench: Workbench
    scenes: Path
    base: Run

    def again(self, plant: Callable[[Path, Document], object], **asked: object) -> Run:
        """Change a copy of the files, and make the run again."""
        folder = self.scenes.with_name("planted")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.scenes, folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        plant(folder, manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        asked = {"postprocess": coloured(folder), **asked}
        return self.bench.project("noir").runs[draw(self.bench, "noir", folder, **asked)]

    def rewritten(self, plant: Callable[[Document], object]) -> Run:
        """Make the run again, and write something else into its record."""
        made = self.again(lambda folder, manifest: None)
        path = made.folder / "run.json"
        record = json.loads(path.read_text())
        plant(record)
        path.write_text(json.dumps(record, indent=2))
        return made


def coloured(folder: Path) -> PostprocessRequest:
    return PostprocessRequest(config_path=folder / "postprocess.json", color=True)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = tmp_path_factory.mktemp("diff")
    scenes = write_scenes(folder / "scenes", 2)
    write_photograph(scenes / "hand.png", 98)
    (scenes / "manifest.json").write_text(json.dumps(MANIFEST))
    (scenes / "profiles.json").write_text(json.dumps(PROFILES))
    (scenes / "postprocess.json").write_text(json.dumps(POSTPROCESS))
    bench = kn.open_workbench(folder / "workspace")
    base = bench.create_project("noir").runs[draw(bench, "noir", scenes, postprocess=coloured(scenes))]
    return Studio(bench, scenes, base)


def told(run: Run, other: Run) -> tuple[set[tuple], set[tuple]]:
    """Give what was asked, value by value, and what came out, by section and scene."""
    record = run.diff(other).record
    assert record.unknown == ()
    asked = {(c.section, c.where.scene, c.where.field, c.before, c.after) for c in record.changes}
    came = {(c.section, c.where.scene) for c in record.changes if c.section.is_result}
    return {fact for fact in asked if not fact[0].is_result}, came


def results(*scenes: str) -> set[tuple]:
    return {(section, scene) for scene in scenes for section in (S.WINNERS, S.METRICS)}


@dataclass(frozen=True)
class Planted:
    """What is changed, what must be listed of it, and which other changes follow from it."""

    plant: Callable[[Path, Document], object]
    listed: set[tuple]
    came: set[tuple] = field(default_factory=set)
    seeds: bool = False
    asked: dict[str, Any] = field(default_factory=dict)


def hand(folder: Path, manifest: Document) -> None:
    manifest["generation"]["hand"] = {"line_weight": {"low": 0.9, "high": 1.2}}


def profile(folder: Path, manifest: Document) -> None:
    (folder / "profiles.json").write_text(json.dumps({"profiles": {"dusk": {"gamma": 1.3, "saturation": 0.9}}}))


def inserted(folder: Path, manifest: Document) -> None:
    write_photograph(folder / "between.png", 7)
    manifest["scenes"].insert(1, {"ref": "between.png", "name": "Between"})


def renamed(folder: Path, manifest: Document) -> None:
    (folder / "scene_0.png").rename(folder / "other.png")
    (folder / "sheet.png").rename(folder / "paper.png")
    manifest["scenes"][0]["ref"], manifest["style_refs"][0] = "other.png", "paper.png"


SHA = "sha256"
PLANTED = {
    "nothing": Planted(lambda folder, m: None, set()),
    "files under other names": Planted(renamed, set()),
    "scenes in another order": Planted(lambda folder, m: m["scenes"].reverse(), set()),
    "blanks in a prompt": Planted(lambda folder, m: m["scenes"][1].update(prompt="Keep  the\nlamp lit. "), set()),
    "the seed": Planted(
        lambda folder, m: m["generation"].update(seed=1),
        {(S.PARAMETERS, "", "seed", 0, 1)},
        came=results("Quay", "Tower"),
        seeds=True,
    ),
    "a scene's own seed": Planted(
        lambda folder, m: m["scenes"][1].update(seed=5), set(), came=results("Tower"), seeds=True
    ),
    "a field of the hand": Planted(hand, {(S.PARAMETERS, "", "hand.line_weight.low", 0.85, 0.9)}),
    "a word of a prompt": Planted(
        lambda folder, m: m["scenes"][1].update(prompt="Keep the lantern lit."),
        {(S.PROMPTS, "Tower", "prompt", "…lamp…", "…lantern…")},
    ),
    "a name": Planted(
        lambda folder, m: m["scenes"][0].update(name="Pier"), {(S.PARAMETERS, "Pier", "name", "Quay", "Pier")}
    ),
    "the ground line": Planted(
        lambda folder, m: m["scenes"][0].update(ground_line=0.8), {(S.PARAMETERS, "Quay", "ground_line", None, 0.8)}
    ),
    "the size": Planted(
        lambda folder, m: m["generation"].update(size="96x64"),
        {(S.PARAMETERS, "", "size", "64x96", "96x64")},
        came=results("Quay", "Tower"),
    ),
    "the bytes of a style reference": Planted(
        lambda folder, m: write_photograph(folder / "sheet.png", 50),
        {(S.REFERENCES, "", "style.sheet.png", SHA, SHA)},
    ),
    "a style reference more": Planted(
        lambda folder, m: (write_photograph(folder / "third.png", 51), m["style_refs"].append("third.png")),
        {(S.REFERENCES, "", "style.third.png", None, SHA)},
    ),
    "a style reference less": Planted(
        lambda folder, m: m["style_refs"].remove("hand.png"), {(S.REFERENCES, "", "style.hand.png", SHA, None)}
    ),
    "style references in another order": Planted(
        lambda folder, m: m["style_refs"].reverse(),
        {(S.REFERENCES, "", "style.order", "sheet.png, hand.png", "hand.png, sheet.png")},
    ),
    "the bytes of a scene": Planted(
        lambda folder, m: write_photograph(folder / "scene_1.png", 60),
        {(S.REFERENCES, "Tower", "scene", SHA, SHA)},
        came=results("Tower"),
        seeds=True,
    ),
    "a scene in the middle": Planted(inserted, {(S.JOBS, "Between", "job", None, SHA)}),
    "a scene less": Planted(lambda folder, m: m["scenes"].pop(0), {(S.JOBS, "Quay", "job", SHA, None)}),
    "more candidates": Planted(
        lambda folder, m: m["generation"].update(candidates=3),
        {(S.PARAMETERS, "", "candidates", 2, 3)},  # the third ones do not win
    ),
    "a value of the colour profile": Planted(
        profile,
        {(S.PASSES, "", "color.values.gamma", 1.1, 1.3)},  # plain black and white stays what it is
    ),
    "no colour pass": Planted(
        lambda folder, m: None,
        {(S.PASSES, "", "color", "dusk", None)},
        asked={"postprocess": PostprocessRequest(color=False)},
    ),
    "a setting of the guard": Planted(
        lambda folder, m: m["output_guard"].update(max_chroma_delta=3.0),
        {(S.GUARD, "", "max_chroma_delta", 2.0, 3.0)},
    ),
    "what a run and a picture may cost": Planted(
        lambda folder, m: None,
        {(S.PARAMETERS, "", "max_cost", None, "$3.00"), (S.PARAMETERS, "", "max_price", None, "$0.90")},
        asked={"max_cost": Money.of(3), "max_price": Money.of("0.90")},
    ),
    "the version of the engine": Planted(
        lambda folder, m: None,
        {(S.ENGINE, "", "generate.version", "test", "test 2")},
        came={(S.WINNERS, "Quay"), (S.WINNERS, "Tower")},  # a picture's file says which version drew it
        asked={"painter": Stencil(version="test 2")},
    ),
}


def plain(fact: tuple) -> tuple:
    """Give a fact without what only this run's files decide."""
    *place, before, after = fact
    if place[0] is S.PROMPTS:
        return (*place, "…lamp…" if "lamp" in before else before, "…lantern…" if "lantern" in after else after)
    return (*place, *(SHA if isinstance(one, str) and len(one) == 64 else one for one in (before, after)))


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_change_is_listed_and_nothing_else(name: str, studio: Studio) -> None:
    planted = PLANTED[name]
    other = studio.again(planted.plant, **planted.asked)

    asked, came = told(studio.base, other)

    seeds = {fact for fact in asked if fact[2] == "seeds.style"}
    assert {plain(fact) for fact in asked - seeds} == planted.listed
    assert bool(seeds) == planted.seeds
    assert {scene for _, scene, *_ in seeds} <= {scene for _, scene in came}
    assert came == planted.came


def other_winner(record: Document) -> None:
    job = record["jobs"][0]
    (other,) = (c for c in job["candidates"] if c["candidate_index"] != job["selected_candidate"])
    job["selected_candidate"], job["final_output"] = other["candidate_index"], other["final_output"]


REWRITTEN: dict[str, tuple[Callable[[Document], object], set[tuple]]] = {
    "provider": (lambda r: r.update(provider="brush"), {(S.ENGINE, "provider", "ink", "brush")}),
    "model": (lambda r: r.update(model="noir-2"), {(S.ENGINE, "model", "noir-1", "noir-2")}),
    "python": (lambda r: r["environment"].update(python="3.99.0"), {(S.ENVIRONMENT, "python", None, "3.99.0")}),
    "kroma_nb": (lambda r: r["environment"].update(kroma_nb="9.9"), {(S.ENVIRONMENT, "kroma_nb", None, "9.9")}),
    "a library": (
        lambda r: r["environment"]["libraries"].update(numpy="9.9"),
        {(S.ENVIRONMENT, "libraries.numpy", None, "9.9")},
    ),
    "a library more": (
        lambda r: r["environment"]["libraries"].update(inkwell="1.0"),
        {(S.ENVIRONMENT, "libraries.inkwell", None, "1.0")},
    ),
    "a feature of the processor": (
        lambda r: r["environment"]["cpu_features"].append("AVX9"),
        {(S.ENVIRONMENT, "cpu_features.AVX9", None, True)},
    ),
    "the build of OpenCV": (
        lambda r: r["environment"].update(opencv_build="f" * 64),
        {(S.ENVIRONMENT, "opencv_build", None, "f" * 64)},
    ),
    "ids, times and notes": (
        lambda r: r.update(timestamp="2020-01-01T00:00:00Z", finished_at=None, notes=["Another note."]),
        set(),
    ),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_fact_that_only_another_machine_would_record_is_listed_alone(name: str, studio: Studio) -> None:
    plant, listed = REWRITTEN[name]
    known = {(section, place) for section, place, before, _ in listed if before is None}

    asked, came = told(studio.base, studio.rewritten(plant))

    # What this machine records is not the test's to say.
    found = {(s, f, None if (s, f) in known else before, after) for s, _, f, before, after in asked}
    assert (found, came) == (listed, set())


def test_another_winner_is_listed_with_its_picture_and_measures(studio: Studio) -> None:
    record = studio.base.diff(studio.rewritten(other_winner)).record

    winners = [(c.where.scene, c.where.field) for c in record.of(S.WINNERS)]
    assert winners == [("Quay", "candidate"), ("Quay", "picture")]
    assert {c.where.scene for c in record.of(S.METRICS)} == {"Quay"}
    quality = next(c for c in record.of(S.METRICS) if c.where.field == "quality")
    assert quality.delta == pytest.approx(quality.after - quality.before)
    assert len(record.changes) == len(record.of(S.WINNERS, S.METRICS))


def test_equal_runs_differ_in_nothing_and_say_so(studio: Studio) -> None:
    diff = studio.base.diff(studio.again(lambda folder, manifest: None))

    assert len(diff) == 0
    assert not diff
    assert diff.frame().empty
    assert "Nothing differs" in repr(diff)
    assert "Nothing differs" in diff._repr_html_()


def test_the_other_way_round_is_the_mirror_image(studio: Studio) -> None:
    other = studio.again(inserted, painter=Stencil(version="test 2"))

    one, back = studio.base.diff(other).record, other.diff(studio.base).record

    assert set(back.changes) == set(one.mirrored().changes)
    assert (back.before, back.after) == (one.after, one.before)


def test_a_run_is_named_by_its_end_and_found_in_another_project(studio: Studio, scenes: Path) -> None:
    noir = studio.bench.project("noir")
    elsewhere = studio.bench.create_project("dawn").runs[draw(studio.bench, "dawn", studio.scenes)]

    assert studio.base.diff(studio.base.run_id[-6:]).after == studio.base
    assert noir.runs["latest"].diff(noir.runs["latest"].run_id).record.is_empty
    assert [(c.section, c.where.field) for c in studio.base.diff(elsewhere)] == [(S.PASSES, "color")]
    with pytest.raises(RequestInvalid, match="there is no run"):
        studio.base.diff("ffffffff")


def test_a_run_that_follows_another_winner_says_which_picture(bench: Workbench, scenes: Path) -> None:
    noir = bench.project("noir")
    style = draw(bench, "noir", scenes, painter=Stencil(version="test 2"))
    follows = followed(noir.runs, style, Stage.TIME)

    night = noir.runs[draw(bench, "noir", scenes, stage=Stage.TIME, time=TimeOfDay.NIGHT, follows=follows)]

    first = next(run for run in noir.runs if run.log.stage is Stage.TIME and run != night)
    assert [(c.section, c.where.field) for c in first.diff(night)] == [(S.REFERENCES, "follows")] * 2


def test_a_frame_has_a_row_a_change_with_numbers_as_numbers(studio: Studio) -> None:
    frame = studio.base.diff(studio.rewritten(other_winner)).frame()

    quality = frame[frame.field == "quality"].iloc[0]
    assert (quality.section, quality.scene) == ("metrics", "Quay")
    assert quality.delta == pytest.approx(quality.after - quality.before)


def test_a_comparison_shows_both_winners_and_asks_for_nothing(studio: Studio) -> None:
    diff = studio.base.diff(studio.rewritten(other_winner))

    page = diff._repr_html_()

    assert page.count('src="data:image/webp;base64,') == 2
    assert "<script" not in page


def test_a_run_says_which_notebook_made_it_beside_its_record(studio: Studio) -> None:
    assert marking.read_notebook(studio.base.folder) is None
