"""Pictures bought from OpenAI in a run: asked about, bought once, resumed, and the key kept to itself throughout."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_server import KEY, OpenAIServer, openai_server
from providers.openai_shop import place
from studio import write_scenes

from kroma_nb.blobs import sha256_file
from kroma_nb.errors import SpendNotConfirmed
from kroma_nb.model.money import Money
from kroma_nb.model.words import CandidateStatus, RunStatus
from kroma_nb.workbench import Project, open_workbench
from kroma_nb.workbench.doctor import Finding, examine

TOKENS = Money(micro_usd=34_200)
"""What the server's counts come to at the catalog's rates."""


@pytest.fixture(autouse=True)
def _no_other_keys(monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith("OPENAI_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with openai_server() as running:
        yield running


@pytest.fixture
def story(server, tmp_path) -> Project:
    home = place(tmp_path / "home", server.url, OPENAI_IMAGE_QUALITY="low")
    (home / "config").mkdir()
    pace = "[limits.openai]\ntries = 3\nconcurrency = 2\nper_minute = 100_000\ntimeout_s = 20\nbackoff_s = 0.01\n"
    (home / "config" / "models.toml").write_text(f"as_of = 2026-11-25\nmodels = []\n{pace}")
    return open_workbench(home).create_project("noir")


@pytest.fixture
def scenes(tmp_path) -> Path:
    folder = write_scenes(tmp_path / "scenes", 2)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["generation"] = {"candidates": 2, "size": "1024x1024"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def planned(story: Project, scenes: Path, **more: object):
    return story.plan(manifest=scenes / "manifest.json", provider="openai", max_price="0.10", **more)


def ledger(story: Project) -> list[dict]:
    return [json.loads(line) for line in (story.root / "ledger.jsonl").read_text().splitlines()]


def files_with(text: str, folder: Path) -> list[str]:
    """Name the files below a folder that hold a text; the place where it may stand is passed over."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".env"]
    assert len(files) > 10
    return [str(path) for path in files if text.encode() in path.read_bytes()]


def test_a_run_is_asked_about_bought_and_not_bought_again(server, story, scenes, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    plan = planned(story, scenes)
    forecast = plan.forecast()
    with pytest.raises(SpendNotConfirmed, match=r"4 pictures would cost up to \$0\.40"):
        story.run(plan)
    before = len(server.calls)

    run = story.run(plan, confirm_spend=True)
    again = story.run(planned(story, scenes))

    assert (forecast.calls[0].model, str(forecast.cost_high), before) == ("gpt-image-2.6-flare:low", "$0.40", 0)
    assert (run.status, again.status) == (RunStatus.OK, RunStatus.OK)
    assert server.bills == len(server.calls) == 4
    assert {call.fields["quality"] for call in server.calls} == {"low"}
    assert (run.log.spent, again.log.spent) == (TOKENS * 4, Money())
    settled = [line for line in ledger(story) if line["entry"] == "ended"]
    assert [line["ended"] for line in settled] == ["settled"] * 4
    assert sorted(line["request_id"] for line in settled) == [f"req_{number}" for number in (1, 2, 3, 4)]
    assert {line["usage"]["output_tokens"] for line in settled} == {1000}
    for candidate in (candidate for job in run.log.jobs for candidate in job.candidates):
        assert sha256_file(story.root / candidate.output) == candidate.calls[0].original.sha256
    assert files_with(KEY, story.bench.home) == []
    assert KEY not in caplog.text


def test_what_went_wrong_is_written_and_the_rest_is_resumed(server, story, scenes, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    server.script.extend(["echo", "moderation", "limit-ms", "cut", "ok"])

    run = story.run(planned(story, scenes), confirm_spend=True)
    ends = [candidate.status for job in run.log.jobs for candidate in job.candidates]
    codes = {c.failure.error_code for job in run.log.jobs for c in job.candidates if c.failure}
    story.runs.resume(run.run_id, confirm_spend=True)
    left = [candidate.status for job in run.log.jobs for candidate in job.candidates]
    story.runs.resume(run.run_id, confirm_spend=True, pay_again=True)

    assert (ends.count(CandidateStatus.FAILED_PROVIDER), ends.count(CandidateStatus.IN_DOUBT)) == (2, 1)
    assert codes == {"invalid_api_key", "moderation_blocked", "in_doubt"}
    assert (left.count(CandidateStatus.DONE), left.count(CandidateStatus.IN_DOUBT)) == (3, 1)
    assert run.status is RunStatus.OK
    entries = ledger(story)
    charged = [line for line in entries if line["entry"] == "ended" and line["ended"] != "released"]
    # Five were billed: one of them was lost on its way, and stays charged with the most that it may have cost.
    assert server.bills == len(charged) == 5
    assert sum(line["cost"]["micro_usd"] for line in charged) == 100_000 + 4 * TOKENS.micro_usd
    assert len(server.calls) == sum(line["entry"] == "reserved" for line in entries)
    assert files_with(KEY, story.bench.home) == []
    assert KEY not in caplog.text
    assert KEY not in repr(run) + run._repr_html_() + repr(story.costs.rows(free=True))


def test_another_quality_is_another_picture_and_is_bought_for_itself(server, story, scenes) -> None:
    story.run(planned(story, scenes, candidates=1), confirm_spend=True)
    high = story.plan(
        manifest=scenes / "manifest.json", provider="openai/gpt-image-2.6-flare:high", max_price="0.50", candidates=1
    )

    assert high.forecast().to_buy == 2
    story.run(high, confirm_spend=True)
    assert sorted(call.fields["quality"] for call in server.calls) == ["high", "high", "low", "low"]


def test_without_a_key_every_picture_says_what_is_missing_and_nothing_is_charged(server, story, scenes) -> None:
    (story.bench.home / ".env").unlink()

    run = story.run(planned(story, scenes, candidates=1), confirm_spend=True)

    failures = [c.failure for job in run.log.jobs for c in job.candidates]
    assert {failure.error_code for failure in failures} == {"key_missing"}
    assert all("OPENAI_API_KEY=… in" in failure.message for failure in failures)
    assert (server.calls, run.log.spent) == ([], Money())


def key_row(home: Path) -> Finding:
    (row,) = [found for found in examine(home) if found.piece == "OpenAI key"]
    assert KEY not in repr(row) + row.model_dump_json()
    return row


def test_the_doctor_says_where_the_key_comes_from_and_never_the_key(tmp_path, monkeypatch) -> None:
    missing = key_row(tmp_path)
    place(tmp_path, "http://127.0.0.1")
    in_file = key_row(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    in_environment = key_row(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY")
    (tmp_path / ".env").write_bytes(KEY.encode() + b"=\xff")
    broken = key_row(tmp_path)

    env = tmp_path / ".env"
    assert [row.fine for row in (missing, in_file, in_environment, broken)] == [False, True, True, False]
    assert all(row.optional for row in (missing, broken))
    assert missing.found == f"OPENAI_API_KEY is neither in the environment nor in {env}"
    assert in_file.found == f"OPENAI_API_KEY from {env}; OPENAI_BASE_URL from {env} leads to 127.0.0.1"
    assert in_environment.found.startswith("OPENAI_API_KEY from the environment; ")
    assert "not UTF-8" in broken.found


def test_the_sdk_is_not_loaded_before_a_picture_is_bought(scenes, tmp_path) -> None:
    probe = (
        "import sys, kroma_nb as kn\nfrom kroma_nb.workbench.painters import painter_for\n"
        "story = kn.open_workbench(sys.argv[1]).create_project('noir')\n"
        "made = story.plan(manifest=sys.argv[2], provider='openai', max_price='0.10')\n"
        "made.forecast(); painter_for(made.plan.card, story.bench.home)\n"
        "print([name for name in ('openai', 'httpx', 'httpx2') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", probe, str(tmp_path / "home"), str(scenes / "manifest.json")]

    loaded = subprocess.run(command, capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
