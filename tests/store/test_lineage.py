"""What a picture was made of, what was made of it, and what must be made again: over runs, circles and losses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from studio import Stencil, draw, dump, write_photograph, write_scenes

import kroma_nb as kn
from kroma_nb import run, store
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.asset import LinkType
from kroma_nb.model.money import Catalog, ModelCard, Money
from kroma_nb.model.plan import PostprocessRequest
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning import load_catalog
from kroma_nb.store.schema import asset_links
from kroma_nb.workbench import Asset, Project, Run, Workbench
from kroma_nb.workbench.following import followed
from kroma_nb.workbench.lineage import priced

COLOR = PostprocessRequest(color=True, color_profile="cinematic_warm")
NIGHT = {"stage": Stage.TIME, "time": TimeOfDay.NIGHT}
RAIN = {"stage": Stage.WEATHER, "time": TimeOfDay.NIGHT, "weather": Weather.RAIN}


def follow(bench: Workbench, scenes: Path, run_id: str, **asked: object) -> str:
    follows = followed(bench.project("noir").runs, run_id, asked["stage"])
    return draw(bench, "noir", scenes, follows=follows, postprocess=COLOR, **asked)


def made(tmp_path: Path) -> Project:
    """Two scenes over three stages, two candidates each, with a colour pass; the sheet is shared by all."""
    bench, scenes = kn.open_workbench(tmp_path / "workspace"), write_scenes(tmp_path / "scenes", 2)
    style = draw(bench, "noir", scenes, postprocess=COLOR)
    follow(bench, scenes, follow(bench, scenes, style, **NIGHT), **RAIN)
    draw(bench, "dawn", scenes)
    return bench.project("noir")


@pytest.fixture(scope="module")
def noir(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return made(tmp_path_factory.mktemp("noir"))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Project]:
    """The same, to be changed."""
    return made(tmp_path)


def runs(project: Project) -> tuple[Run, ...]:
    return tuple(reversed([project.runs[run_id] for run_id in project.runs.ids]))


def pictures(project: Project, run: Run, *, scene: int = 0, won: bool = True) -> list[Asset]:
    """Give the pictures of a scene's winner, or of its other candidate, pass by pass."""
    job = run.log.jobs[scene]
    (one,) = [c for c in job.candidates if (c.candidate_index == job.selected_candidate) is won]
    return [project.assets[record.output.path] for record in one.passes]


def source(project: Project, ref: str) -> Asset:
    (file,) = [entry.file for entry in runs(project)[0].log.inputs if entry.ref == ref]
    return project.assets[file.path]


def drawn_of(page: Asset, scenes: Path, *, given_as: str = "scene_refs") -> Run:
    """Draw a run that is given a page which another run has made, as its only scene or as a style reference."""
    project, given = page.project, {given_as: (str(page.project.root / page.path),)}
    return project.runs[draw(project.bench, "noir", scenes, **given)]


def ways(asset: Asset) -> set[tuple[int, str, str | None]]:
    return {(one.depth, one.path, one.link_type and one.link_type.value) for one in asset.lineage().record.pictures}


def test_a_picture_has_everything_above_and_below_it_over_three_stages(noir: Project) -> None:
    style, night, rain = runs(noir)
    (drawn, warm), (dark, night_warm) = pictures(noir, style), pictures(noir, night)
    scene, sheet = source(noir, "scene_0.png"), source(noir, "sheet.png")

    below = {path.path for won in (True, False) for path in pictures(noir, rain, won=won)}
    lineage = dark.lineage()

    assert {one for one in ways(dark) if one[0] <= 0} == {
        (-2, drawn.path, "derived_from"),
        (-1, warm.path, "variant_of"),
        (-1, scene.path, "derived_from"),
        (-1, sheet.path, "reference_of"),
        (0, dark.path, None),
    }
    assert {one.path for one in lineage.below} == below | {night_warm.path}
    assert [one.depth for one in lineage.record.pictures] == sorted(one.depth for one in lineage.record.pictures)
    assert len({one.path for one in lineage.record.pictures}) == len(lineage) == 10
    assert {link.type for link in lineage.record.links} == {
        LinkType.DERIVED_FROM,
        LinkType.VARIANT_OF,
        LinkType.REFERENCE_OF,
    }
    # The source of both is told by both, though the nearer way is the one that counts.
    assert (scene.path, drawn.path) in {(link.parent, link.child) for link in lineage.record.links}
    assert lineage.record.lost == ()


def test_what_people_call_a_picture_is_told_beside_its_path(noir: Project) -> None:
    sheet = source(noir, "sheet.png")
    night = runs(noir)[1]

    asked = sheet.lineage().record.asked
    (won,) = [one for one in sheet.lineage().below if one.path == pictures(noir, night)[0].path]

    assert (asked.name, asked.kind, asked.run_id) == ("sheet.png", "input", None)
    assert (won.run_id, won.stage, won.winner) == (night.run_id, "time", True)
    assert (won.scene, won.pass_name) == (night.log.jobs[0].name, "generate")


def test_a_frame_has_a_row_a_picture_and_each_column_its_type(noir: Project) -> None:
    frame = source(noir, "sheet.png").lineage().frame()

    assert len(frame) == 1 + 3 * 2 * 2 * 2
    assert str(frame["candidate"].dtype) == "Int64"
    assert str(frame["depth"].dtype) == "int64"
    assert str(frame["created_at"].dtype) == "datetime64[us, UTC]"


def test_the_losers_of_a_stage_lead_to_nothing_but_their_own_passes(noir: Project) -> None:
    style = runs(noir)[0]
    drawn, warm = pictures(noir, style, won=False)

    assert {one.path for one in drawn.lineage().below} == {warm.path}
    assert noir.assets.affected_by(warm).record.rows == ()


def test_another_project_with_the_same_scenes_has_its_own_lineage(noir: Project) -> None:
    dawn = noir.bench.project("dawn")
    mine, theirs = source(noir, "sheet.png"), source(dawn, "sheet.png")

    assert mine.record.sha256 == theirs.record.sha256
    assert len(mine.lineage()) == 25
    assert len(theirs.lineage()) == 5
    with pytest.raises(RequestInvalid, match="picture of project noir, not of dawn"):
        dawn.assets.affected_by(mine)
    with noir.bench.index.rows(dawn) as (rows, key):
        assert store.read_affected(rows, key, mine.record.id) == ((), ())


def test_a_style_reference_affects_every_candidate_that_was_drawn_with_it_or_follows_one(noir: Project) -> None:
    affected = noir.assets.affected_by(source(noir, "sheet.png"))
    frame = affected.frame()

    assert (affected.pictures, affected.jobs, affected.runs) == (12, 6, tuple(run.run_id for run in runs(noir)))
    assert (affected.cost_low, affected.cost_high) == (Money(), Money())
    assert frame["drawn"].all()
    assert (frame["cost_micro_usd"] == 0).all()
    assert set(frame["link_type"]) == {"reference_of"}
    assert "12 pictures in 3 runs would be drawn again: at no cost." in repr(affected)


def test_a_scene_affects_its_own_jobs_alone(noir: Project) -> None:
    affected = noir.assets.affected_by(source(noir, "scene_1.png").path)

    assert affected.pictures == 6
    assert {row.scene for row in affected.record.rows} == {runs(noir)[0].log.jobs[1].name}


def test_a_winner_affects_what_followed_it_and_what_followed_that(noir: Project) -> None:
    style, night, rain = runs(noir)
    drawn, warm = pictures(noir, style)

    followers, whole = noir.assets.affected_by(warm), noir.assets.affected_by(drawn)

    assert followers.runs == (night.run_id, rain.run_id)
    assert followers.pictures == whole.pictures == 4
    assert [row.link_type for row in followers.record.rows] == ["variant_of", "variant_of", None, None]
    # Of the winner itself nothing is drawn again, but its colour pass is made again.
    (again,) = whole.record.finished_again
    assert (again.run_id, again.cost_micro_usd) == (style.run_id, 0)
    assert "Of 1 candidate only later passes would be made again." in repr(whole)


def test_what_never_had_a_picture_is_told_beside_what_would_be_drawn_again(tmp_path: Path) -> None:
    bench, scenes = kn.open_workbench(tmp_path / "workspace"), write_scenes(tmp_path / "scenes", 1, candidates=3)
    first = draw(bench, "noir", scenes)
    noir = bench.project("noir")
    seed = noir.runs[first].log.jobs[0].candidates[1].seeds.style
    noir.runs[first].delete()
    draw(bench, "noir", scenes, painter=Stencil(fails_on=frozenset({seed})))

    affected = noir.assets.affected_by(source(noir, "scene_0.png"))

    assert (affected.pictures, affected.record.attempts) == (2, 3)
    assert "these scenes have 3 candidates" in repr(affected)


def test_a_price_counts_every_picture_and_one_that_is_not_known_bounds_nothing(noir: Project) -> None:
    record = noir.assets.affected_by(source(noir, "scene_0.png")).record
    priced_rows = [row.model_copy(update={"provider": "press", "model": "big"}) for row in record.rows]
    paid = ModelCard(provider="press", model="big", paid=True, price_per_picture=Money(micro_usd=40_000))
    catalog = Catalog(as_of=load_catalog().as_of, models=(paid,))

    known = record.model_copy(update={"rows": priced(priced_rows, catalog)})
    mixed = record.model_copy(update={"rows": priced([*priced_rows[:2], *record.rows[2:]], catalog)})

    assert (known.cost_low, known.cost_high) == (Money(micro_usd=240_000), Money(micro_usd=240_000))
    assert (mixed.cost_low, mixed.cost_high) == (Money(micro_usd=80_000), None)
    said = kn.report.affected_view(mixed).text()
    assert "at least $0.08, and the price of 4 by ink, noir-1 is not known" in said


def test_the_prices_are_those_of_the_workspace_and_a_range_stays_one(own: Project) -> None:
    config = own.bench.home / "config"
    config.mkdir(exist_ok=True)
    (config / "models.toml").write_text(
        'as_of = 2026-11-01\n[[models]]\nprovider = "ink"\nmodel = "noir-1"\npaid = true\n'
        "price_per_picture = { micro_usd = 40_000 }\nleast_per_picture = { micro_usd = 10_000 }\n"
    )

    affected = own.assets.affected_by(source(own, "scene_0.png"))

    assert (affected.pictures, str(affected.cost_low), str(affected.cost_high)) == (6, "$0.06", "$0.24")
    assert "6 pictures in 3 runs would be drawn again: $0.06 to $0.24." in repr(affected)
    assert "$0.02 to $0.08" in repr(affected)


def test_a_run_that_is_deleted_ends_the_way_up_and_the_lineage_says_so(own: Project) -> None:
    style, night, _ = runs(own)
    scene, won = source(own, "scene_0.png"), style.log.jobs[0].selected_candidate
    style.delete(force=True)

    lineage = pictures(own, night)[0].lineage()

    assert {one.path for one in lineage.above} == {scene.path, source(own, "sheet.png").path}
    (lost,) = lineage.record.lost
    assert (lost.run_id, lost.candidate) == (style.run_id, won)
    assert f"in run {style.run_id}, which is not there any more" in repr(lineage)
    assert own.assets.affected_by(scene).pictures == 4


def test_what_followed_a_run_that_is_deleted_is_not_said_to_need_nothing(own: Project) -> None:
    style, night, rain = runs(own)
    won, lost, other = pictures(own, style)[1], pictures(own, style, won=False)[1], pictures(own, style, scene=1)[1]
    own.runs[night.run_id].delete(force=True)

    affected = own.assets.affected_by(won)
    (cut_off,) = affected.record.cut_off

    assert len(affected) == 0
    assert (cut_off.run_id, cut_off.scene, cut_off.lost_run) == (rain.run_id, rain.log.jobs[0].name, night.run_id)
    assert f"In 1 scene, run {rain.run_id} (weather) followed run {night.run_id}, which is not there" in repr(affected)
    assert "nothing must be made again" not in repr(affected)
    # Of others it can be told: a loser has other seeds, a scene is what rain itself was drawn of.
    assert [one.job_id for one in own.assets.affected_by(other).record.cut_off] == [rain.log.jobs[1].id]
    assert own.assets.affected_by(lost).record.cut_off == ()
    assert own.assets.affected_by(source(own, "sheet.png")).record.cut_off == ()
    own.runs[rain.run_id].delete(force=True)
    assert "Nothing was made of it, so nothing must be made again." in repr(own.assets.affected_by(won))


def test_what_can_be_told_is_told_beside_what_was_cut_off(own: Project, tmp_path: Path) -> None:
    style, night, rain = runs(own)
    dusk = follow(own.bench, tmp_path / "scenes", style.run_id, **NIGHT)
    own.runs[night.run_id].delete(force=True)

    affected = own.assets.affected_by(pictures(own, style)[0])

    assert (affected.pictures, affected.runs) == (2, (style.run_id, dusk))
    assert [one.run_id for one in affected.record.cut_off] == [rain.run_id]
    assert "2 pictures in 1 run would be drawn again" in repr(affected)
    assert f"what run {rain.run_id} has drawn of it must be made again too" in repr(affected)


@pytest.mark.parametrize(
    ("given_as", "how", "drawn"), [("scene_refs", "derived_from", 2), ("style_refs", "reference_of", 4)]
)
def test_a_page_that_was_given_to_a_later_run_affects_what_was_drawn_of_it(
    given_as: str, how: str, drawn: int, own: Project, tmp_path: Path
) -> None:
    (page, warm) = pictures(own, runs(own)[0], won=False)
    later = drawn_of(warm, tmp_path / "scenes", given_as=given_as)

    affected, lineage = own.assets.affected_by(warm), warm.lineage()

    assert (affected.pictures, affected.runs, len(affected)) == (drawn, (later.run_id,), drawn)
    copy = next(entry.file.path for entry in later.log.inputs if entry.file.sha256 == warm.record.sha256)
    assert (1, copy, "derived_from") in ways(warm)
    assert {one[1:] for one in ways(warm) if one[0] == 2} == {
        (one.output, how) for job in later.log.jobs for one in job.candidates
    }
    assert len(lineage.below) == 1 + drawn
    # What the page itself was made of is told of what was drawn of it, and must be made again with it.
    assert {page.path, source(own, "scene_0.png").path} <= {one.path for one in pictures(own, later)[0].lineage().above}
    assert later.run_id in own.assets.affected_by(source(own, "scene_0.png")).runs


def test_a_page_that_was_given_on_is_linked_in_whatever_order_runs_are_met(own: Project, tmp_path: Path) -> None:
    drawn_of(pictures(own, runs(own)[0])[1], tmp_path / "scenes")
    before = dump(own.bench.index.path)
    for path in own.bench.index.path.parent.glob("kroma.db*"):
        path.unlink()
    bench = kn.open_workbench(own.bench.home)
    for folder in sorted(run.run_folders(own.root), reverse=True):
        bench.index.note(bench.project("noir"), folder.name)
    bench.index.catch_up(bench.projects)
    backwards = dump(bench.index.path)
    bench.reindex()

    assert backwards == dump(bench.index.path) == before
    # A run that is read again, alone, takes nothing from the others.
    bench.index.note(bench.project("noir"), runs(own)[0].run_id)
    assert dump(bench.index.path) == before


def test_of_equal_pages_each_affects_what_was_drawn_of_one_and_each_is_linked_once(
    own: Project, tmp_path: Path
) -> None:
    first = runs(own)[0]
    equal = [first, *(own.runs[draw(own.bench, "noir", tmp_path / "scenes", postprocess=COLOR)] for _ in range(3))]
    pages = [pictures(own, one)[1] for one in equal]
    later = [drawn_of(page, tmp_path / "scenes") for page in pages[:2]]
    copy = own.assets[later[0].log.inputs[0].file.path]

    assert len({page.record.sha256 for page in pages}) == 1
    # Of each run the page and its colour pass, which has changed nothing.
    assert len([link for link in copy.links if link.child == copy.path]) == 2 * len(pages)
    for page in pages[1:]:
        assert own.assets.affected_by(page).runs == tuple(one.run_id for one in later)
    equal[1].delete(force=True)
    assert own.assets.affected_by(pages[2]).pictures == 4


def test_a_picture_beside_the_runs_that_was_given_to_one_affects_what_was_drawn_of_it(own: Project) -> None:
    scene = source(own, "scene_0.png").record
    path = f"imported/{scene.sha256[:2]}/{scene.sha256}.png"
    named = {name: getattr(scene, name) for name in ("sha256", "size_bytes", "media_type", "width", "height")}
    entry = {"path": path, "kind": "cover", "created_at": None, "source": "cover.png", "source_id": "a1"}
    (own.root / path).parent.mkdir(parents=True)
    shutil.copyfile(own.root / scene.path, own.root / path)
    listed = {"schema": "kroma_nb.imported_assets/1", "assets": [named | entry], "links": []}
    (own.root / "imported/assets.json").write_text(json.dumps(listed))
    own.bench.index._looked.clear()

    assert own.assets.affected_by(path).pictures == own.assets.affected_by(scene.path).pictures == 6


def test_a_picture_that_is_gone_has_no_lineage_and_is_not_said_to_affect_nothing(own: Project) -> None:
    rain = runs(own)[2]
    gone = pictures(own, rain)[-1]
    rain.delete()

    with pytest.raises(RequestInvalid, match="is not in the project any more"):
        gone.lineage()
    with pytest.raises(RequestInvalid, match="has no picture"):
        own.assets.affected_by(gone)


def linked(project: Project, *pairs: tuple[Asset, Asset]) -> None:
    """Link pictures beside what the runs say, as an import may."""
    key = str(project.card.id)
    with project.bench.index.store.writing() as rows:
        for up, down in pairs:
            ends = {"parent_id": str(up.record.id), "child_id": str(down.record.id)}
            rows.execute(sa.insert(asset_links).values(project_id=key, link_type="derived_from", **ends))


def test_pictures_that_are_linked_in_a_circle_are_given_once_each(own: Project) -> None:
    style = runs(own)[0]
    drawn, warm = pictures(own, style)
    whole = len(source(own, "scene_0.png").lineage())
    linked(own, (warm, drawn), (warm, source(own, "scene_0.png")))

    lineage = drawn.lineage()
    affected = own.assets.affected_by(drawn)

    paths = [one.path for one in lineage.record.pictures]
    assert len(paths) == len(set(paths)) == whole + 1  # with the sheet
    assert [one.path for one in lineage.record.pictures if one.depth == 0] == [drawn.path]
    assert {one.depth for one in lineage.record.pictures if one.path == warm.path} <= {1, -1}
    assert lineage.svg().count("<svg") > 2
    # The other candidate of the scene, both of each later stage, its own colour pass, and the scene.
    assert len(affected) == 1 + 4 + 1 + 1


def test_a_picture_beside_the_runs_is_in_the_lineage_and_must_be_made_by_hand(own: Project) -> None:
    warm = pictures(own, runs(own)[0])[1]
    write_photograph(own.root / "imported_cover.png", 5)
    cover = {
        "path": f"imported/ab/{'ab' * 32}.png",
        "sha256": "ab" * 32,
        "size_bytes": 9,
        "media_type": "image/png",
        "width": 64,
        "height": 48,
        "kind": "cover",
        "created_at": None,
        "source": "cover.png",
        "source_id": "a1",
    }
    link = {"parent": warm.path, "child": cover["path"], "type": "derived_from"}
    (own.root / "imported").mkdir()
    listed = {"schema": "kroma_nb.imported_assets/1", "assets": [cover], "links": [link]}
    (own.root / "imported/assets.json").write_text(json.dumps(listed))
    own.bench.index._looked.clear()

    affected = own.assets.affected_by(warm)
    lineage = own.assets[cover["path"]].lineage()

    assert [row.path for row in affected.record.outside_runs] == [cover["path"]]
    assert (affected.pictures, affected.frame()["candidate"].isna().sum()) == (4, 1)
    assert f"1 picture outside runs came from it: {cover['path']}." in repr(affected)
    assert {one.path for one in lineage.above} >= {warm.path, source(own, "scene_0.png").path}


def test_a_picture_is_found_by_path_or_by_digits_that_are_its_own(noir: Project) -> None:
    sheet = source(noir, "sheet.png")

    assert noir.assets.find(sheet.path) == sheet
    assert noir.assets.find(str(sheet.record.sha256)[:8]) == sheet
    assert noir.assets.affected_by(str(sheet.record.sha256)).pictures == 12
    with pytest.raises(RequestInvalid, match="has no picture 'abcdef0'"):
        noir.assets.find("abcdef0")
    with pytest.raises(RequestInvalid, match=r"has no picture 'quay\.png'"):
        noir.assets.affected_by("quay.png")


def test_digits_of_several_pictures_name_none_of_them(own: Project, tmp_path: Path) -> None:
    first = runs(own)[0]
    draw(own.bench, "noir", tmp_path / "scenes", postprocess=COLOR)
    drawn = pictures(own, first)[0]

    with pytest.raises(RequestInvalid, match="name one by its path: runs/"):
        own.assets.find(str(drawn.record.sha256))


def test_the_links_of_a_picture_are_found_by_an_index_from_either_end(noir: Project) -> None:
    heard: list[tuple[str, object]] = []
    with noir.bench.index.store.reading() as rows:
        sa.event.listen(rows, "before_cursor_execute", lambda _a, _b, text, values, *_: heard.append((text, values)))
        store.list_links(rows, str(noir.card.id), source(noir, "sheet.png").record.id)
        steps = [
            row[3] for text, values in heard[:2] for row in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        ]

    assert [step for step in steps if step.startswith("SCAN")] == []
    assert any(step.endswith("child_id_parent_id_link_type (project_id=? AND child_id=?)") for step in steps)
    assert any(step.endswith("asset_links_1 (project_id=? AND parent_id=?)") for step in steps)


def test_both_questions_walk_along_indexes_and_scan_no_table(noir: Project) -> None:
    asked = {"project": str(noir.card.id), "asked": str(source(noir, "sheet.png").record.id)}
    steps = []
    with noir.bench.index.store.reading() as rows:
        for question in (store.lineage._lineage(), store.lineage._affected()):
            text = question.compile(rows, compile_kwargs={"literal_binds": False})
            values = tuple(asked.get(name, text.params[name]) for name in text.positiontup)
            steps += [row[3] for row in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)]

    tables = {"assets", "asset_links", "run_candidates", "run_jobs", "runs", "run_inputs"}
    tables |= {"direct", "given", "twin", "scene", "down", "page", "drawn", "followed"}
    assert [step for step in steps if step.startswith("SCAN") and step.split()[1] in tables] == []
    assert [step for step in steps if step.endswith("(project_id=?)")] == []
    assert any(
        "asset_links_project_id_child_id_parent_id_link_type (project_id=? AND child_id=?)" in step for step in steps
    )
