"""Where a run's plan was altered, that is what a proof gives as the cause, and nothing else that is as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import provider, write_catalog
from replay.forging import odd, paid_run, put, said

from kroma_nb.cli import main
from kroma_nb.model.replay import CauseKind, Verdict
from kroma_nb.model.words import PassName
from kroma_nb.workbench import Project, Run

ALTERED = "plan.json was altered"


def edit(run: Run, change: Callable[[dict], object]) -> None:
    """Change what a run's plan says."""
    path = run.folder / "plan.json"
    plan = json.loads(path.read_text())
    change(plan)
    put(path, (json.dumps(plan, indent=2) + "\n").encode())


def other_seed(plan: dict) -> None:
    seeds = plan["jobs"][0]["candidates"][0]["seeds"]
    name = next(name for name, seed in seeds.items() if seed is not None)
    seeds[name] += 1


def brighter(plan: dict) -> None:
    plan["postprocess"]["color"]["values"]["brightness"] += 0.2


def another_scene(plan: dict) -> None:
    plan["jobs"][0]["scene"]["sha256"] = "0" * 64


def one_more(plan: dict) -> None:
    candidates = plan["jobs"][0]["candidates"]
    candidates.append(candidates[0] | {"index": 3})


@pytest.mark.parametrize(
    ("change", "passes", "verdict"),
    [
        (other_seed, 1, Verdict.CHANGED),
        (brighter, 4, Verdict.CHANGED),
        (another_scene, 4, Verdict.UNPROVEN),
        (one_more, 1, Verdict.MISSING),
    ],
)
def test_an_altered_plan_is_the_first_cause_of_every_pass_that_is_not_exact(
    story: Project, made: Run, change: Callable[[dict], object], passes: int, verdict: Verdict
) -> None:
    edit(made, change)

    proof = story.runs.verify(made.run_id)

    assert not proof.ok
    assert ALTERED in said(proof)
    assert CauseKind.PROFILE not in {cause.kind for cause in proof.record.differs}
    wrong = odd(proof)
    assert {check.verdict for check in wrong} == {verdict}
    assert len(wrong) >= passes
    assert all(ALTERED in str(check.causes[0]) for check in wrong)
    assert "nothing on record explains it" not in repr(proof)


def test_a_picture_that_is_gone_is_not_blamed_on_the_plan(story: Project, made: Run) -> None:
    edit(made, other_seed)
    picture = next(path for path in (made.folder / "outputs").iterdir() if "scene_1" in path.name)
    picture.unlink()

    proof = story.runs.verify(made.run_id)

    (gone,) = [check for check in odd(proof) if check.verdict is Verdict.MISSING]
    assert ALTERED not in " ".join(map(str, gone.causes))


def test_a_plan_that_asks_for_an_engine_that_nobody_has_is_named(story: Project, made: Run) -> None:
    edit(made, lambda plan: plan["card"].update(model="noir-9"))

    proof = story.runs.verify(made.run_id)

    assert (proof.ok, len(proof.record.checks)) == (False, 0)
    assert ALTERED in said(proof)


def test_what_was_bought_is_what_was_sent_whatever_the_plan_says(story: Project, scenes: Path) -> None:
    write_catalog(story.bench.home)
    with provider():
        run = paid_run(story, scenes, color_profile="cinematic_warm")
        later = paid_run(story, scenes)
    edit(run, other_seed)
    edit(run, brighter)
    edit(later, other_seed)

    proof, taken_up = story.runs.verify(run.run_id), story.runs.verify(later.run_id)

    assert {check.pass_name for check in odd(proof)} == {PassName.COLOR}
    assert all(ALTERED in str(check.causes[0]) for check in odd(proof))
    # What was asked for another seed nobody knows.
    (check,) = odd(taken_up)
    assert check.verdict is Verdict.UNPROVEN
    assert ALTERED in str(check.causes[0])


def test_the_command_names_an_altered_plan_and_ends_with_6(
    capsys: pytest.CaptureFixture[str], story: Project, made: Run
) -> None:
    edit(made, brighter)

    with pytest.raises(SystemExit) as ended:
        main(["replay", made.run_id, "--verify", "--home", str(story.bench.home)])

    assert ended.value.code == 6
    assert ALTERED in " ".join(capsys.readouterr().out.split())
