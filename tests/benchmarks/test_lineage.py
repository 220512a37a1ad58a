"""What a lineage costs: one recursive query against one look-up by primary key, whatever the project's size."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from kroma_nb import store
from kroma_nb.model.project import ProjectCard
from kroma_nb.model.run import now
from kroma_nb.store import schema
from kroma_nb.store.ids import asset_key, candidate_key, job_key, run_key, stamp

AT, SHEET = stamp(now()), "inputs/sheet.png"
# Of each scene: the photograph, what was drawn of it, its colour pass, and the night that followed that.
A_SCENE = 4


class Story:
    """The rows of a style run and of a night that follows it, one candidate a scene, all drawn with one sheet."""

    def __init__(self, key: str, scenes: int) -> None:
        self.key = key
        self.rows: dict[sa.Table, list[dict[str, object]]] = {table: [] for table in schema.metadata.sorted_tables}
        style, night = self.run("style", "style"), self.run("night", "time")
        sheet = self.asset(SHEET)
        for number in range(scenes):
            scene = self.asset(f"inputs/{number}.png")
            read = {"run_id": style, "position": number, "asset_id": scene, "ref": f"quay_{number}.png", "at": AT}
            self.rows[schema.run_inputs].append(read)
            first = self.candidate(style, number)
            later = self.candidate(night, number, follows=first)
            drawn = self.asset(f"runs/style/outputs/{number}.png", style, first, "generate")
            warm = self.asset(f"runs/style/color_corrected/{number}.png", style, first, "color")
            dark = self.asset(f"runs/night/outputs/{number}.png", night, later, "generate")
            self.link("derived_from", (scene, drawn), (drawn, warm), (scene, dark))
            self.link("reference_of", (sheet, drawn), (sheet, dark))
            self.link("variant_of", (warm, dark))

    def run(self, name: str, stage: str) -> str:
        run = run_key(self.key, name)
        facts = {"id": run, "project_id": self.key, "run_id": name, "stage": stage, "time": "night", "weather": "clear"}
        engine = {"provider": "ink", "model": "noir-1", "status": "ok", "gate": "off", "plan_sha256": "0" * 64}
        counts = dict.fromkeys(("jobs", "winners", "pictures", "size_bytes"), 0)
        rest = {"max_chroma_delta": 12.0, "next_step": "", "created_at": AT}
        self.rows[schema.runs].append(facts | engine | counts | rest)
        return run

    def candidate(self, run: str, number: int, follows: str | None = None) -> str:
        job = job_key(run, f"job_{number}")
        facts = {"id": job, "run_id": run, "position": number, "job_key": f"job_{number}", "name": f"Scene {number}"}
        asked = {"stage": "style", "time": "day", "weather": "clear", "prompt": "", "scene_ref": "", "styles": ""}
        ended = {"status": "done", "planned_candidates": 1, "selected_candidate": 1}
        drawn = {"scene_sha256": content(f"inputs/{number}.png"), "follows_candidate_id": follows}
        self.rows[schema.run_jobs].append(facts | asked | ended | drawn)
        one = {"id": candidate_key(job, 1), "job_id": job, "candidate_index": 1, "status": "done", "tied_with": ""}
        numbers = dict.fromkeys(("position", "hard_failures", "soft_warnings", "avg_chroma_exceed"), 0)
        self.rows[schema.run_candidates].append(one | numbers | {"provider": "ink", "model": "noir-1"})
        return one["id"]

    def asset(self, path: str, run: str | None = None, candidate: str | None = None, name: str | None = None) -> str:
        key = asset_key(self.key, path)
        file = {"path": path, "sha256": content(path), "size_bytes": 1000, "media_type": "image/png", "created_at": AT}
        of = {"kind": "picture" if run else "input", "run_id": run, "candidate_id": candidate, "pass_name": name}
        self.rows[schema.assets].append({"id": key, "project_id": self.key, "is_last": True} | file | of)
        return key

    def link(self, kind: str, *pairs: tuple[str, str]) -> None:
        self.rows[schema.asset_links] += [
            {"project_id": self.key, "parent_id": up, "child_id": down, "link_type": kind} for up, down in pairs
        ]


def content(path: str) -> str:
    return sha256(path.encode()).hexdigest()


def with_scenes(path: Path, scenes: int) -> tuple[store.Store, str]:
    card = ProjectCard(id=uuid4(), slug="many", name="many", created_at=now())
    opened, key = store.open_store(path), str(card.id)
    with opened.writing() as rows:
        store.put_project(rows, card, "var/projects/many")
        for table, held in Story(key, scenes).rows.items():
            if held:
                rows.execute(sa.insert(table), held)
    return opened, key


BY_ID = sa.select(schema.assets).where(schema.assets.c.id == sa.bindparam("asked"))


def look_up(rows: store.Rows, key: str, asked: str) -> None:
    assert rows.execute(BY_ID, {"asked": asked}).one().size_bytes == 1000


def lineage(rows: store.Rows, key: str, asked: str) -> None:
    assert [one.depth for one in store.read_lineage(rows, key, UUID(asked)).pictures] == [-2, -1, -1, -1, 0]


def affected(rows: store.Rows, key: str, asked: str) -> None:
    again, cut_off = store.read_affected(rows, key, UUID(asked))
    assert (len(again), cut_off) == (2, ())


def fifty(ask: Callable[[store.Rows, str, str], None], opened: store.Store, key: str, scenes: int):
    path = "inputs/{}.png" if ask is affected else "runs/night/outputs/{}.png"

    def times(index: int) -> None:
        with opened.reading() as rows:
            for turn in range(50):
                ask(rows, key, asset_key(key, path.format((index * 997 + turn * 31) % scenes)))

    return times


@pytest.mark.benchmark
def test_a_lineage_costs_at_most_fifty_look_ups_and_does_not_grow_with_the_project(ratios, tmp_path) -> None:
    few = (*with_scenes(tmp_path / "few.db", 1_000 // A_SCENE), 1_000 // A_SCENE)
    many = (*with_scenes(tmp_path / "many.db", 100_000 // A_SCENE), 100_000 // A_SCENE)

    found = ratios(
        base=fifty(look_up, *many),
        rounds=11,
        lineage_few=fifty(lineage, *few),
        lineage=fifty(lineage, *many),
        affected_few=fifty(affected, *few),
        affected=fifty(affected, *many),
    )

    lineages = f"a lineage of five {found['lineage']:.1f} ({found['lineage_few']:.1f})"
    affects = f"what a scene affects {found['affected']:.1f} ({found['affected_few']:.1f})"
    print(f"\namong 100,000 pictures (1,000): {lineages}, {affects} x a look-up by primary key")
    assert max(found["lineage"], found["affected"]) <= 50
    # A deeper tree to look in is all that the project's size may cost.
    assert found["lineage"] <= 2 * found["lineage_few"]
    assert found["affected"] <= 2 * found["affected_few"]
