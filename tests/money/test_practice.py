"""The practice shop: it sells for play money, on this machine, and only to whoever has opened it."""

from __future__ import annotations

from pathlib import Path

import pytest
from studio import write_scenes

from kroma_nb import images
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.words import CandidateStatus
from kroma_nb.planning import load_catalog
from kroma_nb.workbench import Project, open_practice, open_workbench


@pytest.fixture
def story(tmp_path: Path) -> Project:
    write_scenes(tmp_path / "scenes", 1)
    return open_workbench(tmp_path / "practice").create_project("noir")


def planned(story: Project, tmp_path: Path):
    return story.plan(manifest=tmp_path / "scenes" / "manifest.json", provider="practice", candidates=2)


def test_it_draws_what_it_is_asked_for_and_bills_every_call_once(story, tmp_path) -> None:
    with open_practice(story.bench) as shop:
        run = story.run(planned(story, tmp_path), confirm_spend=True)

    calls = [call for job in run.log.jobs for c in job.candidates for call in c.calls]
    assert run.status == "ok"
    assert sorted(shop.billed) == sorted(call.call_id for call in calls)
    assert str(run.log.spent) == "$0.08"
    assert images.load(story.root / calls[0].original.path).shape[:2] == (96, 64)


def test_it_keeps_one_waiting_and_goes_on(story, tmp_path) -> None:
    from threading import Thread

    with open_practice(story.bench) as shop:
        shop.hold(2)
        player = Thread(target=story.run, args=(planned(story, tmp_path),), kwargs={"confirm_spend": True})
        player.start()
        shop.wait_for(2)
        ended = [row.state for row in story.costs.rows()]
        shop.go_on()
        player.join()

    assert ended == ["settled", "open"]
    assert story.runs["latest"].status == "ok"
    with pytest.raises(TimeoutError, match="2 calls have arrived in 0 s, not 3"):
        shop.wait_for(3, timeout_s=0)


@pytest.mark.parametrize("address", ["", "http://example.org/pay"])
def test_nothing_is_sent_where_no_shop_is_open_on_this_machine(address, story, tmp_path, monkeypatch) -> None:
    open_practice(story.bench).close()
    monkeypatch.setenv("KROMA_PRACTICE_URL", address)

    run = story.run(planned(story, tmp_path), confirm_spend=True)

    failures = [c.failure for job in run.log.jobs for c in job.candidates]
    assert {c.status for job in run.log.jobs for c in job.candidates} == {CandidateStatus.FAILED_PROVIDER}
    assert all("no practice shop is open" in failure.message for failure in failures)
    assert not run.log.spent


def test_no_catalog_knows_it_but_that_of_a_workspace_to_practise_in(story) -> None:
    assert load_catalog().find("practice") is None
    own = story.bench.home / "config" / "models.toml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("as_of = 2026-11-01\nmodels = []\n")

    with pytest.raises(RequestInvalid, match="a catalog of your own"):
        open_practice(story.bench)

    assert own.read_text() == "as_of = 2026-11-01\nmodels = []\n"


def test_a_workspace_may_be_practised_in_again(story) -> None:
    open_practice(story.bench).close()
    before = (story.bench.home / "config" / "models.toml").read_bytes()

    with open_practice(story.bench) as shop:
        assert shop.url in repr(shop)

    assert (story.bench.home / "config" / "models.toml").read_bytes() == before
