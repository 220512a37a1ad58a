"""Money and recovery, as a person types it: asked before anything is bought, and led on when something went wrong."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback import Provider, provider, write_catalog
from studio import write_photograph, write_scenes

from kroma_nb.workbench import Project, open_workbench

Kroma = Callable[..., tuple[int, str, str]]
TESTS = Path(__file__).parents[1]
PAID = ("--manifest", "scenes/manifest.json", "--provider", "loopback", "--project", "noir")


@pytest.fixture
def server() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(autouse=True)
def desk(tmp_path: Path) -> Path:
    """An artist's folder: a workspace that knows a paid provider, and three scenes, two candidates each."""
    write_catalog(tmp_path, concurrency=1)
    write_scenes(tmp_path / "scenes", 3)
    return tmp_path


@pytest.fixture
def story(desk: Path) -> Project:
    return open_workbench(desk).project("noir", missing_ok=True)


def begun(desk: Path, *words: object, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """Begin a command in a process of its own."""
    command = [sys.executable, "-c", "from kroma_nb.cli import main; main()", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=desk, env=environment, stdin=stdin, stdout=pipe, stderr=pipe, text=True)


def answered(desk: Path, answer: bytes, *words: object) -> tuple[int, str]:
    """Give a command a terminal and an answer; gives its exit code and what it said."""
    ours, theirs = pty.openpty()
    child = begun(desk, *words, stdin=theirs)
    os.close(theirs)
    os.write(ours, answer)
    out, err = child.communicate(timeout=60)
    os.close(ours)
    return child.returncode, out + err


def next_command(out: str) -> list[str]:
    """Give the command that is named at the end, to be typed as it stands there."""
    return shlex.split(re.findall(r"^Next: kroma (.*)$", out, re.MULTILINE)[-1])


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def cut_short(server: Provider, kroma: Kroma) -> None:
    """Make a run of which one picture was bought and five were not."""
    assert kroma("run", *PAID, "--confirm-spend", "--max-cost", "0.04")[0] == 6
    assert server.bills == 1


def test_without_a_terminal_or_a_word_nothing_is_bought(kroma: Kroma, server, story) -> None:
    code, out, err = kroma("run", *PAID)

    assert code == 3
    assert "Calls: 6 to loopback plain at up to $0.04" in out
    assert "6 pictures would cost up to $0.24; confirm it with confirm_spend=True, or --confirm-spend" in err
    assert (server.arrived, list(story.runs)) == ([], [])


def test_a_terminal_is_asked_once_and_yes_is_enough(desk, server) -> None:
    code, said = answered(desk, b"y\n", "run", *PAID)

    assert code == 0
    assert said.count("6 pictures would cost up to $0.24. Go ahead?") == 1
    assert "Charged: $0.24" in said
    assert server.bills == 6


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"], ids=["no", "nothing", "end of input"])
def test_anything_else_at_the_terminal_is_a_no(answer, desk, server) -> None:
    code, said = answered(desk, answer, "run", *PAID, "--max-cost", "0.10")

    assert "6 pictures would cost up to $0.24, and at most $0.10 is spent. Go ahead?" in said
    assert "Nothing was bought." in said
    assert "error" not in said
    assert (code, server.arrived) == (3, [])


def test_a_budget_that_leaves_less_is_named_before_the_question(kroma: Kroma, desk, server) -> None:
    kroma("init", "noir")
    assert kroma("budget", "--per-month", "0.10")[0] == 0
    _, said = answered(desk, b"n\n", "run", *PAID)
    assert "The project's budget leaves $0.10 for it; what is above that is not bought." in said
    assert said.index("leaves $0.10") < said.index("Go ahead?")

    answered(desk, b"y\n", "run", *PAID)
    _, said = answered(desk, b"n\n", "resume")

    assert server.bills == 2
    assert "The project's budget leaves $0.02 for it" in said


def test_ctrl_c_at_the_question_is_a_no(desk, server) -> None:
    ours, theirs = pty.openpty()
    child = begun(desk, "run", *PAID, stdin=theirs)
    said = ""
    while "Go ahead?" not in said:
        said += child.stdout.read(1)

    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)

    assert (child.returncode, server.arrived) == (3, [])


def test_a_program_that_reads_json_is_never_asked(desk, server) -> None:
    code, said = answered(desk, b"y\n", "run", *PAID, "--json")

    assert (code, server.arrived) == (3, [])
    assert json.loads(said[: said.index("\n}") + 2])["error_code"] == "spend_confirmation_required"


def test_what_costs_nothing_is_not_asked_about(desk, server) -> None:
    write_photograph(desk / "quay.png", 1, 96, 64)

    code, said = answered(desk, b"", "run", "--project", "noir", "--input", "quay.png", "--candidates", "1")

    assert code == 0
    assert "Go ahead" not in said
    assert "Charged" not in said


def test_a_plan_in_json_carries_the_live_forecast(kroma: Kroma, server) -> None:
    before = json.loads(kroma("plan", *PAID, "--json")[1])["forecast"]
    kroma("run", *PAID, "--confirm-spend")

    after = json.loads(kroma("plan", *PAID, "--json")[1])["forecast"]

    assert (before["already_paid"], before["cost_high"]["micro_usd"], before["calls"][0]["calls"]) == (0, 240_000, 6)
    assert (after["already_paid"], after["cost_high"]["micro_usd"], after["calls"]) == (6, 0, [])
    assert before["size_bytes"] > 0
    assert after["seconds"] is not None


def test_a_price_that_nobody_knows_is_bounded_by_the_command_line(kroma: Kroma, desk, server) -> None:
    models = desk / "config" / "models.toml"
    models.write_text(models.read_text().replace("price_per_picture = { micro_usd = 40000 }\n", "", 1))

    refused, _, err = kroma("run", *PAID)
    code, out, _ = kroma("plan", *PAID, "--max-price", "0.50")

    assert refused == 2
    assert "max_price" in err
    assert (code, "$3.00" in out) == (0, True)


@pytest.mark.parametrize("word", ["--max-cost", "--max-price"])
def test_an_amount_that_is_none_is_named(kroma: Kroma, word) -> None:
    code, _, err = kroma("plan", *PAID, word, "much")

    assert code == 2
    assert f"{word[2:].replace('-', '_')}: 'much' is no amount of money" in err


@pytest.fixture
def killed(desk: Path, server: Provider, story: Project) -> str:
    """A run that was killed while its third answer came; two of its six pictures were bought, one is in doubt."""
    server.script.extend(["ok", "ok", "kill within"])
    child = begun(desk, "run", *PAID, "--confirm-spend")
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    return story.runs["latest"].run_id


def test_a_killed_run_is_named_with_its_command_wherever_one_looks(kroma: Kroma, killed: str) -> None:
    listed, standing, told = kroma("runs", "list")[1], kroma("status")[1], kroma("runs", "show")[1]

    for said in (listed, standing):
        assert f"Run {killed} is interrupted: kroma resume {killed}\n" in said
    assert f"Next: kroma resume {killed}\n" in told
    assert next_command(told) == ["resume", killed, "--pay-again"]


def test_what_is_left_of_a_killed_run_is_shown_before_anything_is_bought(kroma: Kroma, killed, server, story) -> None:
    code, shown, refused = kroma("resume")

    (doubtful,) = [row for row in story.costs.rows() if row.state == "in_doubt"]
    assert code == 3
    assert "3 pictures to make" in shown
    assert doubtful.call_id in shown
    assert "In doubt: 1 picture, for which $0.04 stays charged" in shown
    assert "3 pictures would cost up to" in refused
    assert server.bills == 3


def test_a_killed_run_is_finished_by_the_commands_that_are_named_one_after_the_other(
    kroma: Kroma, killed, server, story
) -> None:
    code, out, _ = kroma("resume", "--confirm-spend")
    assert (code, server.bills) == (6, 6)
    named = next_command(out)
    assert named == ["resume", killed, "--pay-again"]
    unsure, shown, _ = kroma(*named)
    assert unsure == 3
    assert "1 picture may have been billed already, and would be bought again" in shown

    code, out, _ = kroma(*named, "--confirm-spend")

    assert (code, server.bills) == (0, 7)
    assert "Next:" not in out
    assert "Charged: $0.28" in out
    assert str(story.costs.total) == "$0.28"


STOPPED = [
    (signal.SIGINT, "resume", "latest"),
    (signal.SIGTERM, "resume", "latest"),
    (signal.SIGTERM, "retry", "latest", "scene_1", "--candidates", "5"),
]


@pytest.mark.parametrize("stopped", STOPPED, ids=lambda words: f"{words[1]} {words[0].name}")
def test_a_signal_lets_a_resumed_run_end_in_good_order(stopped, kroma: Kroma, desk, server, story) -> None:
    cut_short(server, kroma)
    server.slow_s = 0.3
    ending, *words = stopped

    child = begun(desk, *words, "--confirm-spend")
    until(lambda: len(server.arrived) >= 2)
    child.send_signal(ending)
    out, err = child.communicate(timeout=60)

    run = story.runs["latest"]
    assert child.returncode == 6, err
    assert run.status == "interrupted"
    assert "resume" in next_command(out)
    assert run.log.spent == story.costs.total
    assert run.log.pictures == server.bills < 6
    assert [row for row in story.costs.rows() if row.state != "settled"] == []
    server.slow_s = 0
    assert kroma("resume", "--confirm-spend")[0] == 0


def test_a_run_that_is_being_played_is_left_alone_and_its_process_named(kroma: Kroma, desk, server) -> None:
    server.slow_s = 0.4
    child = begun(desk, "run", *PAID, "--confirm-spend")
    until(lambda: bool(server.arrived))

    code, _, err = kroma("resume", "--pay-again", "--confirm-spend")
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)

    assert code == 3
    assert f"process {child.pid} on " in err
    assert "wait for its end, or stop it" in err


def test_a_run_with_nothing_left_says_so_and_names_another_that_has(kroma: Kroma, server) -> None:
    cut_short(server, kroma)
    kroma(
        "run",
        *PAID,
        "--only",
        "scene_0.png",
        "--candidates",
        1,
        "--stage",
        "time",
        "--time",
        "night",
        "--confirm-spend",
    )

    code, out, _ = kroma("resume")

    assert code == 0
    assert "Nothing to make in" in out
    first = re.search(r"^Run (\S+) is partial: kroma resume (\S+)$", out, re.MULTILINE)
    assert first is not None
    assert first[1] == first[2]
    assert json.loads(kroma("resume", "--json")[1])["made"] == 0


def test_what_is_left_is_made_up_to_what_was_agreed_to(kroma: Kroma, server, story) -> None:
    cut_short(server, kroma)

    code, out, _ = kroma("resume", "--confirm-spend", "--max-cost", "0.08")

    assert (code, server.bills) == (6, 3)
    assert "5 pictures to make" in out
    assert next_command(out) == ["resume", story.runs["latest"].run_id]


def test_what_is_agreed_to_at_a_terminal_is_made(kroma: Kroma, desk, server) -> None:
    cut_short(server, kroma)

    code, said = answered(desk, b"y\n", "resume")

    assert (code, server.bills) == (0, 6)
    assert said.count("5 pictures would cost up to $0.20. Go ahead?") == 1


def test_more_candidates_of_one_scene_are_added_and_linked(kroma: Kroma, server, story) -> None:
    kroma("run", *PAID, "--confirm-spend")

    unsure = kroma("retry", "latest", "scene_1", "--candidates", 2)
    code, _, _ = kroma("retry", "latest", "scene_1", "--candidates", 2, "--confirm-spend")
    wrong, _, err = kroma("retry", "latest", "style_2_scene_l", "--confirm-spend")

    assert (unsure[0], code, server.bills) == (3, 0, 8)
    assert "2 pictures would cost up to $0.08" in unsure[2]
    job = story.runs["latest"].log.jobs[1]
    assert [c.retry_of for c in job.candidates] == [None, None, *[job.candidates[2].retry_of] * 2]
    assert wrong == 2
    assert "did you mean 'style_2_scene_1'" in err


def test_costs_are_listed_added_up_and_drawn(kroma: Kroma, desk, server) -> None:
    kroma("run", *PAID, "--confirm-spend")

    _, listed, _ = kroma("costs")
    _, by_stage, _ = kroma("costs", "--by", "stage", "--svg", "bars.svg")
    told = json.loads(kroma("costs", "--by", "provider", "--json")[1])
    wrong, _, err = kroma("costs", "--svg", "bars.png")

    assert listed.count("loopback-2026") == 6
    assert re.search(r"style\s+\$0\.24", by_stage)
    assert "by stage" in (desk / "bars.svg").read_text()
    assert (told["total_micro_usd"], told["by"], len(told["calls"])) == (240_000, {"loopback": 240_000}, 6)
    assert (wrong, "let it end with .svg" in err) == (2, True)
    kroma("runs", "delete", told["calls"][0]["run_id"], "--yes")
    assert json.loads(kroma("costs", "--json")[1])["total_micro_usd"] == 240_000


def test_a_budget_is_set_kept_shown_and_taken_away(kroma: Kroma, server) -> None:
    kroma("run", *PAID, "--confirm-spend")

    kroma("budget", "--per-month", "20")
    _, both, _ = kroma("budget", "--per-run", "1.50")
    _, nothing, _ = kroma("budget", "--per-run", "0")
    one = json.loads(kroma("budget", "--per-run", "none", "--json")[1])
    _, none, _ = kroma("budget", "--none")

    assert "Budget: $1.50 a run, $20.00 a month." in both
    assert "(UTC): $0.24 of $20.00." in both
    assert "Budget: $0.00 a run, $20.00 a month." in nothing
    assert one["budget"] == {"per_run_micro_usd": None, "per_month_micro_usd": 20_000_000}
    assert "no limit" in none
    assert kroma("budget", "--none", "--per-run", 1)[0] == kroma("budget", "--per-run", "lots")[0] == 2


def test_a_run_over_its_budget_names_the_command_that_raises_it(kroma: Kroma, server) -> None:
    kroma("init", "noir")
    kroma("budget", "--per-month", "0.09")

    code, out, _ = kroma("run", *PAID, "--confirm-spend")

    assert (code, server.bills) == (6, 2)
    assert "Next: kroma budget --per-month USD" in out
    kroma("budget", "--per-month", "5")
    assert kroma(*next_command(out), "--confirm-spend")[0] == 0


def test_every_command_about_money_says_in_help_what_it_does(kroma: Kroma) -> None:
    for command in ("resume", "retry", "costs", "budget"):
        code, out, _ = kroma(command, "--help")
        assert code == 0
        assert f"Usage: kroma {command}" in out
        assert command in kroma("--help")[1]
