"""A run is proven by making it again: every altered byte, library and cache entry is found and named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from loopback import provider, write_catalog
from replay.forging import files, flip, paid_run, rewrite, said
from studio import dump

from kroma_nb.blobs import sha256_bytes
from kroma_nb.cli import main
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.replay import CauseKind, Verdict
from kroma_nb.run.verifying import differing
from kroma_nb.workbench import Project, Run, open_workbench


def test_an_untouched_run_is_exact_pass_by_pass_and_nothing_is_written(story: Project, made: Run) -> None:
    before = files(story.root)

    proof = story.runs.verify("latest")

    assert proof.ok
    assert proof.record.count(Verdict.EXACT) == len(proof.record.checks) == 8
    assert proof.record.differs == ()
    assert files(story.root) == before
    assert "byte for byte" in repr(proof)


def test_a_run_that_was_served_from_the_cache_is_proven_as_well(story, scenes, made) -> None:
    again = story.run(story.plan(manifest=scenes / "manifest.json", color_profile="cinematic_warm"))

    proof = story.runs.verify(again.run_id)

    assert proof.ok
    assert all(check.reused for check in proof.record.checks)


def test_a_moved_workspace_proves_the_same(tmp_path: Path, made: Run) -> None:
    shutil.move(tmp_path / "home", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "scenes")

    assert open_workbench(tmp_path / "elsewhere").project("noir").runs.verify("latest").ok


def test_one_byte_of_an_input_is_named_and_its_pictures_are_unproven(story, made) -> None:
    scene = made.log.jobs[0].input_images[0]
    flip(story.root / scene)

    proof = story.runs.verify("latest")

    assert not proof.ok
    assert f"{scene} (scene_0.png) was altered" in said(proof)
    verdicts = {check.job_id: check.verdict for check in proof.record.checks}
    assert list(verdicts.values()) == [Verdict.UNPROVEN, Verdict.EXACT]


def test_one_byte_of_a_style_reference_is_named(story, made) -> None:
    (reference,) = made.log.styles_of(made.log.jobs[0])
    flip(story.root / reference)

    proof = story.runs.verify("latest")

    assert f"{reference} (sheet.png) was altered" in said(proof)
    assert {check.verdict for check in proof.record.checks} == {Verdict.UNPROVEN}


def test_one_byte_of_a_picture_is_named(story, made) -> None:
    picture = made.log.jobs[0].candidates[0].output
    flip(story.root / picture)

    proof = story.runs.verify("latest")

    odd = [check for check in proof.record.checks if check.verdict is not Verdict.EXACT]
    assert [(check.path, check.verdict) for check in odd] == [(picture, Verdict.CHANGED)]
    assert "was altered" in str(odd[0].causes[0])


def test_a_picture_that_is_gone_is_missing_and_the_pass_after_it_is_still_proven(story, made) -> None:
    candidate = made.log.jobs[0].candidates[0]
    (story.root / candidate.output).unlink()

    proof = story.runs.verify("latest")

    of_it = [c.verdict for c in proof.record.checks if (c.job_id, c.candidate) == (made.log.jobs[0].id, 1)]
    assert of_it == [Verdict.MISSING, Verdict.EXACT]


def test_a_picture_that_was_altered_together_with_its_record_is_caught(story, made) -> None:
    picture = made.log.jobs[0].candidates[0].output
    path = story.root / picture
    old = sha256_bytes(path.read_bytes())
    page = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    page[:8, :8] = 255 - page[:8, :8]
    path.chmod(0o644)
    path.write_bytes(cv2.imencode(".png", page)[1].tobytes())
    new, size = sha256_bytes(path.read_bytes()), path.stat().st_size

    def forge(event: dict) -> None:
        for record in event.get("outcome", {}).get("passes", ()):
            for side in ("input", "output"):
                if record[side]["sha256"] == old:
                    record[side] |= {"sha256": new, "size_bytes": size}

    rewrite(made, forge)
    proof = story.runs.verify("latest")

    odd = [check for check in proof.record.checks if check.verdict is not Verdict.EXACT]
    assert [(check.path, check.verdict) for check in odd] == [(picture, Verdict.CHANGED)]
    assert "altered together" in str(odd[0].causes[0])
    assert odd[0].differing == pytest.approx(64 / (64 * 96), abs=0.001)
    assert odd[0].farthest > 100


def test_run_json_that_is_not_its_journal_is_named(story, made) -> None:
    log = made.folder / "run.json"
    log.write_text(log.read_text().replace('"quality": 0.', '"quality": 1.', 1))

    proof = story.runs.verify("latest")

    assert not proof.ok
    assert "run.json is not what plan.json and journal.jsonl say" in said(proof)


@pytest.mark.parametrize("place", [-20, 40])
def test_one_byte_of_the_plan_is_named(story, made, place) -> None:
    flip(made.folder / "plan.json", place)

    proof = story.runs.verify(made.run_id)

    assert not proof.ok
    assert "plan.json" in said(proof)


def test_a_poisoned_answer_of_the_cache_is_caught_and_so_is_the_run_that_used_it(story, scenes, made) -> None:
    answers = [path for path in (story.root / "cache" / "answers").rglob("*.json") if b'"width"' in path.read_bytes()]
    documents = {path: json.loads(path.read_text()) for path in answers if "notes" in path.read_text()}
    one, other = [path for path, entry in documents.items() if entry.get("part", 0) is None][:2]
    forged = documents[one] | {name: documents[other][name] for name in ("sha256", "size_bytes")}
    del forged["seal"]
    canonical = json.dumps(forged, sort_keys=True, separators=(",", ":"))
    # Whoever knows the layout can seal a false answer as well; only making the pass again tells.
    one.write_text(json.dumps(forged | {"seal": sha256_bytes(canonical.encode())}))

    before = story.runs.verify(made.run_id)
    again = story.run(story.plan(manifest=scenes / "manifest.json", color_profile="cinematic_warm"))
    after = story.runs.verify(again.run_id)

    assert {cause.kind for cause in before.record.differs} == {CauseKind.CACHE}
    assert one.name in said(before)
    assert before.record.count(Verdict.EXACT) == 8
    assert not before.ok
    changed = [check for check in after.record.checks if check.verdict is Verdict.CHANGED]
    assert changed
    assert all(check.reused for check in changed[:1])


@pytest.mark.parametrize("damage", [{"width": 65}, {"seal": "0" * 64}, {"chroma_delta": 99.0}], ids=str)
def test_a_damaged_answer_of_the_cache_is_named_and_no_run_has_used_it(story, scenes, made, damage) -> None:
    (word,) = damage
    answers = (path for path in (story.root / "cache" / "answers").rglob("*.json"))
    one = next(path for path in answers if f'"{word}"' in path.read_text())
    one.write_text(json.dumps(json.loads(one.read_text()) | damage))

    before = story.runs.verify(made.run_id)
    again = story.run(story.plan(manifest=scenes / "manifest.json", color_profile="cinematic_warm"))

    assert not before.ok
    assert one.name in said(before)
    assert story.runs.verify(again.run_id).ok


def test_one_byte_of_a_cached_picture_is_named(story, made) -> None:
    picture = next(path for path in (story.root / "cache" / "pictures").rglob("*") if path.is_file())
    flip(picture)

    proof = story.runs.verify("latest")

    assert not proof.ok
    assert f"{picture.relative_to(story.root)} was altered" in said(proof)


def test_another_library_and_another_processor_are_named_and_do_not_make_an_exact_picture_wrong(story, made) -> None:
    def older(event: dict) -> None:
        if "environment" in event:
            event["environment"]["libraries"]["numpy"] = "1.0.0"
            event["environment"]["cpu_features"].append("QUANTUM")
            event["environment"]["kroma_nb"] = "0.0.1"

    rewrite(made, older)
    proof = story.runs.verify("latest")

    kinds = {cause.kind for cause in proof.record.differs}
    assert kinds == {CauseKind.LIBRARY, CauseKind.PROCESSOR, CauseKind.CODE}
    assert "numpy: 1.0.0 in the record" in said(proof)
    assert "QUANTUM" in said(proof)
    assert proof.ok


def test_another_version_of_the_engine_is_given_as_the_cause(story, made) -> None:
    def older(event: dict) -> None:
        for record in event.get("outcome", {}).get("passes", ()):
            if record["name"] == "generate":
                record["version"] = "0.1"

    rewrite(made, older)

    proof = story.runs.verify("latest")

    assert [cause.kind for cause in proof.record.differs] == [CauseKind.MODEL]
    assert "ink noir-1 0.1 in the record" in said(proof)


def test_a_colour_profile_that_says_something_else_now_is_named(story, scenes) -> None:
    config = story.bench.home / "config"
    config.mkdir()
    (config / "pipeline.settings.toml").write_text('postprocess_config_path = "config/postprocess.json"\n')
    passes = {"color": {"settings_file": "profiles.json", "default_profile": "dusk"}}
    (config / "postprocess.json").write_text(json.dumps(passes))
    profiles = config / "profiles.json"
    profiles.write_text(json.dumps({"profiles": {"dusk": {"contrast": 1.2}}}))
    run = story.run(story.plan(manifest=scenes / "manifest.json", color=True, color_profile="dusk"))
    profiles.write_text(json.dumps({"profiles": {"dusk": {"contrast": 1.3}}}))

    proof = story.runs.verify(run.run_id)

    assert [cause.kind for cause in proof.record.differs] == [CauseKind.PROFILE]
    assert "dusk" in said(proof)
    assert proof.ok


def test_a_replay_is_a_new_run_with_the_same_pictures_and_nothing_from_the_cache(story, made) -> None:
    again = story.runs.replay(made.run_id)

    assert again.run_id != made.run_id
    assert again.log.replays == made.run_id
    before = [record.output.sha256 for job in made.log.jobs for c in job.candidates for record in c.passes]
    after = [record for job in again.log.jobs for c in job.candidates for record in c.passes]
    assert [record.output.sha256 for record in after] == before
    assert not any(record.reused for record in after)
    rows = dump(story.bench.index.path)
    story.bench.reindex()
    assert dump(story.bench.index.path) == rows


def test_a_paid_run_is_proven_and_replayed_from_what_was_sent_and_costs_nothing(story, scenes) -> None:
    write_catalog(story.bench.home)
    with provider() as server:
        run = story.run(story.plan(manifest=scenes / "manifest.json", provider="loopback"), confirm_spend=True)
        run.retry(run.log.jobs[0].id, candidates=1, confirm_spend=True)
        assert server.bills == 5
    # The provider is gone; nobody is called.
    proof = story.runs.verify(run.run_id)
    again = story.runs.replay(run.run_id)

    assert proof.ok
    assert all(check.bought for check in proof.record.checks)
    assert [c.passes[0].output.sha256 for job in again.log.jobs for c in job.candidates] == [
        c.passes[0].output.sha256 for job in run.log.jobs for c in job.candidates
    ]
    assert (again.log.spent.micro_usd, again.log.jobs[0].planned_candidates) == (0, 3)


def test_one_byte_of_an_original_is_named(story, scenes) -> None:
    write_catalog(story.bench.home)
    with provider():
        run = story.run(story.plan(manifest=scenes / "manifest.json", provider="loopback"), confirm_spend=True)
    original = run.log.jobs[0].candidates[0].calls[0].original.path
    flip(story.root / original)

    proof = story.runs.verify(run.run_id)

    assert f"{original} (what a provider has sent) was altered" in said(proof)
    (odd,) = [check for check in proof.record.checks if check.verdict is not Verdict.EXACT]
    assert odd.verdict is Verdict.UNPROVEN


def test_an_imported_run_cannot_be_replayed_and_says_so(story, made) -> None:
    (made.folder / "journal.jsonl").unlink()
    (made.folder / "plan.json").unlink()

    for ask in (story.runs.verify, story.runs.replay, story.runs.left):
        with pytest.raises(RequestInvalid, match="another program has made it"):
            ask(made.run_id)


def test_pictures_of_other_sizes_and_channels_are_compared() -> None:
    page = np.full((10, 10), 200, np.uint8)

    assert differing(page, page[:5]) == (1.0, 255)
    assert differing(page, np.dstack([page] * 3)) == (0.0, 0)


def test_the_command_ends_with_6_where_something_is_not_proven(tmp_path, capsys, story, made) -> None:
    def kroma(*words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--home", str(tmp_path / "home")])
        return ended.value.code

    fine = kroma("replay", "latest", "--verify", "--json")
    facts = json.loads(capsys.readouterr().out)
    flip(story.root / made.log.jobs[0].candidates[0].output)
    wrong = kroma("replay", made.run_id, "--verify")
    shown = " ".join(capsys.readouterr().out.split())

    assert (fine, facts["ok"], len(facts["passes"])) == (0, True, 8)
    assert wrong == 6
    assert "1 changed" in shown
    assert kroma("replay", made.run_id, "--json") == 0


def test_a_paid_run_is_proven_and_replayed_by_another_version_of_its_engine_and_without_it(
    story, scenes, monkeypatch
) -> None:
    import loopback

    write_catalog(story.bench.home)
    with provider():
        run = paid_run(story, scenes, color_profile="cinematic_warm")
    for offered in (lambda card: loopback.LoopbackPainter(card.model, version="2"), None):
        # The entry point of the tests' provider is what another release of it would bring, or nothing.
        monkeypatch.setattr(loopback, "painter", offered)

        proof = story.runs.verify(run.run_id)
        again = story.runs.replay(run.run_id)

        assert proof.ok
        assert proof.record.count(Verdict.EXACT) == 8
        assert again.status == "ok"
        assert [c.final.sha256 for job in again.log.jobs for c in job.candidates] == [
            c.final.sha256 for job in run.log.jobs for c in job.candidates
        ]


def test_a_replay_buys_nothing_and_names_the_original_that_is_gone(story, scenes) -> None:
    write_catalog(story.bench.home)
    with provider() as server:
        run = paid_run(story, scenes)
        original = run.log.jobs[0].candidates[0].calls[0].original.path
        (story.root / original).unlink()

        again = story.runs.replay(run.run_id)
        proof = story.runs.verify(run.run_id)

        assert server.bills == 4
    lost = again.log.jobs[0].candidates[0]
    assert (lost.failure.error_code, again.log.spent.micro_usd) == ("file_missing", 0)
    assert "what was bought for it is not there" in lost.failure.message
    assert sum(c.final is not None for job in again.log.jobs for c in job.candidates) == 3
    assert f"{original} (what a provider has sent) is gone" in said(proof)


def test_a_run_without_a_picture_is_no_proof(story, scenes) -> None:
    write_catalog(story.bench.home)
    with provider() as server:
        server.script.extend(["refuse"] * 4)
        run = paid_run(story, scenes)

    proof = story.runs.verify(run.run_id)

    assert (proof.ok, len(proof.record.checks)) == (False, 0)
    assert "Nothing is proven" in repr(proof)
    assert "byte for byte" not in repr(proof)


def test_an_outcome_that_was_taken_out_of_journal_and_record_is_missing(story, made) -> None:
    journal = made.folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    gone = next(n for n, line in enumerate(lines) if '"candidate_finished"' in line and '"index":2' in line)
    journal.write_text("".join(lines[:gone] + lines[gone + 1 :]))
    job = json.loads(lines[gone])["outcome"]["job_id"]

    def without(event: dict) -> None:
        if event.get("job_id") == job and "ranks" in event:
            event |= {"ranks": {"1": event["ranks"]["1"]}, "winner": 1}

    rewrite(made, without)

    proof = story.runs.verify(made.run_id)

    assert not proof.ok
    (odd,) = [check for check in proof.record.checks if check.verdict is Verdict.MISSING]
    assert (odd.job_id, odd.candidate) == (job, 2)
    assert "not on record" in str(odd.causes[0])


def test_looking_at_the_cache_is_no_use_of_it(story, made) -> None:
    def times() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in (story.root / "cache").rglob("*") if path.is_file()}

    before = times()
    story.runs.verify(made.run_id)

    assert times() == before
