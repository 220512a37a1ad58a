"""A picture that was altered by a speck, that nobody may read, or that belongs to another run, proves nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from loopback import provider, write_catalog
from replay.forging import as_nobody, odd, paid_run, put, record_as_it_lies, rewrite, said, speck

from kroma_nb.cli import main
from kroma_nb.model.replay import TOLERANCE_SHARE, CauseKind, Verdict
from kroma_nb.workbench import Project, Run


def alter(path: Path, how: str) -> None:
    speck(path) if how == "a speck" else put(path, path.read_bytes() + b"more")


@pytest.fixture(params=["ink", "loopback"])
def either(request: pytest.FixtureRequest, story: Project, scenes: Path) -> Run:
    """A run by the ink engine, and one that was bought."""
    if request.param == "ink":
        return story.run(story.plan(manifest=scenes / "manifest.json"))
    write_catalog(story.bench.home)
    with provider():
        return paid_run(story, scenes)


@pytest.mark.parametrize("how", ["a speck", "bytes at its end"])
@pytest.mark.parametrize("forged", [False, True])
def test_a_picture_that_was_altered_ever_so_little_is_changed(
    capsys: pytest.CaptureFixture[str], story: Project, either: Run, how: str, forged: bool
) -> None:
    picture = either.log.jobs[0].candidates[0].output
    alter(story.root / picture, how)
    if forged:
        record_as_it_lies(either, picture)

    proof = story.runs.verify(either.run_id)
    with pytest.raises(SystemExit) as ended:
        main(["replay", either.run_id, "--verify", "--home", str(story.bench.home)])

    assert not proof.ok
    (check,) = odd(proof)
    assert check.path == picture
    assert check.verdict is Verdict.CHANGED
    # What was sent is found by its content: there is nothing to compare with what was never sent.
    unsent = forged and either.log.provider == "loopback"
    assert check.differing is None if unsent else check.differing < TOLERANCE_SHARE
    assert check.causes
    assert ended.value.code == 6
    assert "not proven" in capsys.readouterr().out


def test_a_speck_is_within_tolerance_where_another_library_has_made_the_picture(story: Project, made: Run) -> None:
    picture = made.log.jobs[0].candidates[0].final_output
    speck(story.root / picture)
    record_as_it_lies(made, picture)

    def older(event: dict) -> None:
        if "environment" in event:
            event["environment"]["libraries"]["numpy"] = "1.0.0"

    rewrite(made, older)

    proof = story.runs.verify(made.run_id)

    (check,) = odd(proof)
    assert check.verdict is Verdict.TOLERANCE
    assert [cause.kind for cause in check.causes] == [CauseKind.LIBRARY]
    assert proof.ok
    assert "within the tolerance" in repr(proof)


def test_another_library_excuses_no_picture_that_is_not_the_recorded_one(story: Project, made: Run) -> None:
    picture = made.log.jobs[0].candidates[0].final_output
    speck(story.root / picture)

    def older(event: dict) -> None:
        if "environment" in event:
            event["environment"]["libraries"]["numpy"] = "1.0.0"

    rewrite(made, older)

    proof = story.runs.verify(made.run_id)

    assert [check.verdict for check in odd(proof)] == [Verdict.CHANGED]
    assert not proof.ok


@pytest.mark.parametrize("how", ["nobody may read it", "it is a folder", "nobody may look into its folder"])
def test_a_picture_that_cannot_be_read_is_unproven_and_all_others_are_judged(
    story: Project, made: Run, how: str
) -> None:
    story.runs.verify(made.run_id)  # what is imported is not readable for everybody
    picture = made.log.jobs[0].candidates[0].output
    path = story.root / picture
    if how == "it is a folder":
        path.unlink()
        path.mkdir()

    with as_nobody(story.bench.home):
        shut = path.parent if how == "nobody may look into its folder" else path
        if how != "it is a folder":
            shut.chmod(0)
        proof = story.runs.verify(made.run_id)
        shut.chmod(0o755)

    checks = {check.path: check for check in proof.record.checks}
    assert (len(checks), proof.ok) == (8, False)
    shut_in = {name for name in checks if Path(name).parent == Path(picture).parent} if shut != path else {picture}
    assert {check.path for check in odd(proof)} == shut_in
    assert checks[picture].verdict is Verdict.UNPROVEN
    assert f"{picture} cannot be read" in str(checks[picture].causes[0])


def test_an_input_that_cannot_be_read_is_not_called_gone(story: Project, made: Run) -> None:
    story.runs.verify(made.run_id)  # what is imported is not readable for everybody
    scene = made.log.jobs[0].input_images[0]

    with as_nobody(story.bench.home):
        (story.root / scene).chmod(0)
        proof = story.runs.verify(made.run_id)

    assert f"{scene} (scene_0.png) cannot be read: " in said(proof)
    assert proof.record.count(Verdict.EXACT) == 4
    assert not proof.ok


def test_a_cached_picture_that_nobody_may_read_disproves_nothing(story: Project, made: Run) -> None:
    story.runs.verify(made.run_id)  # what is imported is not readable for everybody

    with as_nobody(story.bench.home):
        for path in (story.root / "cache" / "pictures").rglob("*"):
            if path.is_file():
                path.chmod(0)
        proof = story.runs.verify(made.run_id)

    assert proof.ok
    assert proof.record.count(Verdict.EXACT) == 8


def test_a_cache_that_goes_during_a_proof_disproves_nothing(story: Project, made: Run) -> None:
    proof = story.runs.verify(
        made.run_id, workers=1, on_check=lambda _: shutil.rmtree(story.root / "cache", ignore_errors=True)
    )

    assert proof.ok
    assert proof.record.differs == ()


def test_another_projects_run_is_named(story: Project, made: Run) -> None:
    other = story.bench.create_project("blanc")
    for kept in ("inputs", "runs"):
        shutil.copytree(story.root / kept, other.root / kept, dirs_exist_ok=True)

    proof = other.runs.verify(made.run_id)

    (cause,) = proof.record.differs
    assert cause.kind is CauseKind.RECORD
    assert "it is another run" in str(cause)
    assert "noir" in cause.recorded
    assert not proof.ok


def test_a_run_in_a_folder_of_another_name_is_named(story: Project, made: Run) -> None:
    name = f"{made.run_id[:-6]}000000"
    made.folder.rename(made.folder.with_name(name))

    proof = story.runs.verify(name)

    assert "it is another run" in said(proof)
    assert made.run_id in said(proof)
    assert not proof.ok
