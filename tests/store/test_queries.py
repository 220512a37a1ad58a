"""What the database is asked: how often, and by which way it finds the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from studio import draw, write_scenes

import kroma_nb as kn
from kroma_nb import store
from kroma_nb.model.asset import AssetFilter, AssetKind
from kroma_nb.workbench import Workbench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """One project with three runs, and another with one."""
    folder = tmp_path_factory.mktemp("queries")
    bench, scenes = kn.open_workbench(folder / "workspace"), write_scenes(folder / "scenes", 2)
    for slug in ("noir", "noir", "noir", "dawn"):
        draw(bench, slug, scenes)
    return bench


@contextmanager
def statements(bench: Workbench) -> Iterator[list[tuple[str, object]]]:
    """Listen to what the database is asked."""
    heard: list[tuple[str, object]] = []

    def hear(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        heard.append((statement, parameters))

    engine = bench.index.store.engine
    sa.event.listen(engine, "before_cursor_execute", hear)
    yield heard
    sa.event.remove(engine, "before_cursor_execute", hear)


def asked(bench: Workbench, call: Callable[[], object]) -> list[tuple[str, object]]:
    with statements(bench) as heard:
        call()
    return [(text, parameters) for text, parameters in heard if not text.startswith(("BEGIN", "PRAGMA"))]


def calls(bench: Workbench) -> dict[str, tuple[Callable[[], object], int, int]]:
    """Give each call with how often it may ask: at first, and while a look at the folders still counts."""
    noir = bench.project("noir")
    run, asset = noir.runs["latest"], noir.assets.page()[0]
    sheet = noir.assets.where(kind="input").page()[0]
    return {
        "bench.projects.rows": (bench.projects.rows, 3, 3),
        "bench.projects.frame": (bench.projects.frame, 3, 3),
        "repr(bench)": (lambda: repr(bench), 3, 3),
        "repr(project)": (lambda: repr(noir), 4, 2),
        "project.runs.rows": (noir.runs.rows, 3, 1),
        "project.runs.rows, later page": (lambda: noir.runs.rows(after=run), 2, 2),
        "project.runs.frame": (noir.runs.frame, 3, 1),
        "project.runs.candidates": (noir.runs.candidates, 3, 1),
        "project.runs.unreadable": (lambda: noir.runs.unreadable, 2, 2),
        "project.assets.page": (noir.assets.page, 3, 1),
        "project.assets.page, later": (lambda: noir.assets.page(after=asset), 1, 1),
        "project.assets.frame": (noir.assets.frame, 3, 1),
        "project.assets[path]": (lambda: noir.assets[asset.path], 3, 1),
        "len(project.assets)": (lambda: len(noir.assets), 3, 1),
        "repr(project.assets)": (lambda: repr(noir.assets), 4, 2),
        "asset.links": (lambda: asset.links, 4, 2),
        "asset.lineage": (lambda: repr(asset.lineage()), 3, 1),
        "project.assets.affected_by": (lambda: repr(noir.assets.affected_by(sheet)), 3, 1),
        # Pictures and records are read from files: the database is not asked at all.
        "run.frame": (run.frame, 0, 0),
        "run.show": (run.show, 0, 0),
        "run.candidates": (lambda: repr(run.candidates), 0, 0),
        "run.winners": (run.winners.frame, 0, 0),
        "asset.picture": (asset.picture, 0, 0),
    }


NAMES = [
    "bench.projects.rows",
    "bench.projects.frame",
    "repr(bench)",
    "repr(project)",
    "project.runs.rows",
    "project.runs.rows, later page",
    "project.runs.frame",
    "project.runs.candidates",
    "project.runs.unreadable",
    "project.assets.page",
    "project.assets.page, later",
    "project.assets.frame",
    "project.assets[path]",
    "len(project.assets)",
    "repr(project.assets)",
    "asset.links",
    "asset.lineage",
    "project.assets.affected_by",
    "run.frame",
    "run.show",
    "run.candidates",
    "run.winners",
    "asset.picture",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_call_asks_the_database_so_often_and_no_more(name: str, bench: Workbench) -> None:
    call, first, again = calls(bench)[name]
    bench.index._looked.clear()

    counts = len(asked(bench, call)), len(asked(bench, call))

    assert counts == (first, again)


def test_writing_a_run_takes_as_many_statements_whatever_its_size(tmp_path: Path) -> None:
    bench = kn.open_workbench(tmp_path / "workspace")
    few = draw(bench, "noir", write_scenes(tmp_path / "few", 1))
    many = draw(bench, "noir", write_scenes(tmp_path / "many", 6, candidates=4))
    noir = bench.project("noir")

    counts = [len(asked(bench, lambda run_id=run_id: bench.index.note(noir, run_id))) for run_id in (few, many)]
    deleted = len(asked(bench, noir.runs[many].delete))
    planned = len(asked(bench, lambda: noir.plan(manifest=tmp_path / "few" / "manifest.json")))

    assert counts[0] == counts[1] <= 22
    assert deleted <= 12
    assert planned <= 2


def test_every_call_is_counted(bench: Workbench) -> None:
    assert list(calls(bench)) == NAMES


def plans(bench: Workbench, heard: list[tuple[str, object]]) -> list[str]:
    with bench.index.store.reading() as rows:
        return [
            step[3]
            for text, parameters in heard
            if text.lstrip().startswith("SELECT")
            for step in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)
        ]


INDEXES = {
    "newest first": "assets_project_id_created_at_id (project_id=?",
    "of a kind": "assets_project_id_kind_created_at_id (project_id=? AND kind=?",
    "of a run": "assets_run_id_created_at_id (run_id=?",
    "of a run and kind": "assets_run_id_created_at_id (run_id=?",
    "of a content": "assets_project_id_sha256_created_at_id (project_id=? AND sha256=?",
    "of a content and kind": "assets_project_id_sha256_created_at_id (project_id=? AND sha256=?",
    "of the first digits of a content": "assets_project_id_sha256_created_at_id (project_id=? AND sha256>?",
    "at a path": "",
}
PAGES = {
    "newest first": AssetFilter(),
    "of a kind": AssetFilter(kind=AssetKind.PICTURE),
    "of a run": AssetFilter(run_id="2026-01-01T00-00-00-000Z-abcdef"),
    "of a run and kind": AssetFilter(run_id="2026-01-01T00-00-00-000Z-abcdef", kind=AssetKind.PICTURE),
    "of a content": AssetFilter(sha256="0" * 64),
    "of a content and kind": AssetFilter(sha256="0" * 64, kind=AssetKind.PICTURE),
    "of the first digits of a content": AssetFilter(sha256="0" * 12),
    "at a path": AssetFilter(path="inputs/00/0.png"),
}


@pytest.mark.parametrize("depth", ["first", "deep"])
@pytest.mark.parametrize("which", PAGES)
def test_a_page_of_pictures_is_found_without_a_scan_and_without_sorting(
    which: str, depth: str, bench: Workbench
) -> None:
    noir = bench.project("noir")
    after = noir.assets.page()[5].record if depth == "deep" else None
    key = str(noir.card.id)

    def page() -> None:
        with bench.index.store.reading() as rows:
            store.list_assets(rows, key, PAGES[which], after=after)

    steps = plans(bench, asked(bench, page))

    assert steps[0].startswith(f"SEARCH assets USING INDEX {INDEXES[which]}")
    assert [step for step in steps if step.startswith("SCAN")] == []
    if which not in {"of the first digits of a content", "at a path"}:  # which find a handful
        assert [step for step in steps if "TEMP B-TREE" in step] == []


def test_a_page_of_runs_is_found_without_a_scan_and_without_sorting(bench: Workbench) -> None:
    noir = bench.project("noir")
    last = noir.runs["latest"]

    for call in (lambda: noir.runs.rows(limit=2), lambda: noir.runs.rows(after=last, limit=2)):
        heard = [one for one in asked(bench, call) if "ORDER BY" in one[0]]
        steps = plans(bench, heard)
        assert [step for step in steps if step.startswith("SCAN") or "TEMP B-TREE" in step] == []
        assert "runs_project_id_created_at_id" in steps[0]


def test_pages_together_give_everything_once_and_in_order(bench: Workbench) -> None:
    noir = bench.project("noir")
    every = [asset.path for asset in noir.assets]
    pages, page = [], noir.assets.page(limit=4)
    while page:
        pages += [asset.path for asset in page]
        page = noir.assets.page(after=page[-1], limit=4)

    frame = noir.assets.frame()
    assert pages == every == frame["path"].tolist()
    assert len(set(pages)) == len(noir.assets) == len(frame)
    assert frame["created_at"].is_monotonic_decreasing


def test_pages_of_runs_together_give_every_run_once(bench: Workbench) -> None:
    noir = bench.project("noir")
    seen, page = [], noir.runs.rows(limit=2)
    while page:
        seen += [row.run_id for row in page]
        page = noir.runs.rows(after=noir.runs[page[-1].run_id], limit=2)

    assert tuple(seen) == noir.runs.ids


def test_links_lead_from_scene_and_reference_over_each_pass_to_the_picture(bench: Workbench, tmp_path: Path) -> None:
    from kroma_nb.model.plan import PostprocessRequest
    from kroma_nb.model.words import Stage, TimeOfDay
    from kroma_nb.workbench.following import followed

    scenes = write_scenes(tmp_path / "scenes", 1)
    color = PostprocessRequest(color=True, color_profile="cinematic_warm")
    story = bench.create_project("story")
    style = story.runs[draw(bench, "story", scenes, postprocess=color)]
    follows = followed(story.runs, style.run_id, Stage.TIME)
    night = story.runs[draw(bench, "story", scenes, stage=Stage.TIME, time=TimeOfDay.NIGHT, follows=follows)]

    (won,) = style.winners
    generated, colored = (record.output.path for record in won.record.passes)
    links = {(link.parent, link.type.value, link.child) for link in story.assets[generated].links}
    scene, sheet = (entry.file.path for entry in style.log.inputs)
    assert links == {
        (scene, "derived_from", generated),
        (sheet, "reference_of", generated),
        (generated, "derived_from", colored),
    }
    variants = {link.child for link in story.assets[colored].links if link.type == "variant_of"}
    assert variants == {c.record.passes[0].output.path for c in night.candidates}
