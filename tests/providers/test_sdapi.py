"""AUTOMATIC1111's web UI and Forge as an engine: pictures that repeat by seed, errors with a way out, whole runs."""

from __future__ import annotations

import json
import os
import pickle
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from home_servers import running
from sdapi_server import Sdapi
from studio import photograph, write_scenes

from kroma_nb.errors import ProviderBusy, ProviderFailed, RequestInvalid, SettingsInvalid
from kroma_nb.model.brief import Brief, Seeds, Size
from kroma_nb.model.replay import Verdict
from kroma_nb.model.words import CandidateStatus, RunStatus, Stage, TimeOfDay, Weather
from kroma_nb.providers import sdapi
from kroma_nb.workbench import Project, open_workbench
from kroma_nb.workbench.at_home import looked_for
from kroma_nb.workbench.doctor import LOOK_S, examine

AUTH = "lila:open-sesame-to-the-ink"
SIZE = Size(width=64, height=96)


@pytest.fixture(autouse=True)
def _no_other_servers(monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SDAPI_", "COMFYUI_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[Sdapi]:
    with running(Sdapi()) as there:
        yield there


@pytest.fixture
def home(server, tmp_path) -> Path:
    folder = tmp_path / "home"
    (folder / "config").mkdir(parents=True)
    (folder / ".env").write_text(f"SDAPI_URL={server.url}/\n")
    return folder


def more_env(home: Path, **values: str) -> None:
    with (home / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())


def brief(seed: int = 7, size: Size = SIZE, prompt: str = "noir, ink") -> Brief:
    seeds = Seeds(style=seed, time=0, weather=0)
    return Brief(stage=Stage.STYLE, time=TimeOfDay.DAY, weather=Weather.CLEAR, prompt=prompt, seeds=seeds, size=size)


def test_equal_seeds_give_equal_pictures_and_another_seed_another_one(server, home) -> None:
    painter = sdapi.meet(home=home)
    scene = photograph(1)

    first, again, other = (painter.paint(scene, brief(seed)) for seed in (7, 7, 8))

    assert np.array_equal(first.picture, again.picture)
    assert not np.array_equal(first.picture, other.picture)
    assert first.picture.shape[:2] == (96, 64)
    assert first.notes == ("The scene was cropped to the shape of the page.",)
    assert first.drawn_of(scene).shape == (48, 32, 3)
    assert [asked["seed"] for asked in server.asked] == [7, 7, 8]
    assert painter.study([scene]) is None


def test_the_request_says_words_seed_size_and_checkpoint_and_any_seed_fits(server, home) -> None:
    sdapi.meet(home=home).paint(photograph(1, 64, 96), brief(2**32 + 5))

    (asked,) = server.asked
    assert (asked["prompt"], asked["seed"], asked["width"], asked["height"]) == ("noir, ink", 5, 64, 96)
    assert asked["override_settings"] == {"sd_model_checkpoint": "inkpunk.safetensors [1a2b3c4d5e]"}
    assert (asked["batch_size"], asked["n_iter"], asked["subseed_strength"]) == (1, 1, 0)


def test_the_version_follows_whatever_changes_pixels_and_nothing_else(server, home) -> None:
    def version() -> str:
        return sdapi.meet(home=home).version

    usual = version()
    server.settings["samples_filename_pattern"] = "[seed]"
    same = version()
    server.settings["CLIP_stop_at_last_layers"] = 2
    clip = version()
    server.settings["sd_model_checkpoint"] = "noir_xl.safetensors [ffeeddccbb]"
    other = version()
    (home / "mine.json").write_text('{"steps": 12}')
    more_env(home, SDAPI_OPTIONS="mine.json")
    fewer = version()

    (home / "mine.json").write_text('{"steps": 12, "override_settings": {"CLIP_stop_at_last_layers": 1}}')
    overridden = version()
    server.settings["CLIP_stop_at_last_layers"] = 3
    overridden_still = version()

    assert (usual, overridden) == (same, overridden_still)
    assert len({usual, clip, other, fewer, overridden}) == 5
    assert usual.startswith("1 inkpunk 1a2b3c4d5e00 ")


def test_the_checkpoint_stays_the_one_that_was_found_whatever_is_loaded_meanwhile(server, home) -> None:
    painter = pickle.loads(pickle.dumps(sdapi.meet(home=home)))
    before = painter.paint(photograph(1), brief()).picture
    server.settings["sd_model_checkpoint"] = "noir_xl.safetensors [ffeeddccbb]"

    after = painter.paint(photograph(1), brief()).picture

    assert np.array_equal(before, after)
    named = sdapi.meet("noir_xl", home)
    assert not np.array_equal(named.paint(photograph(1), brief()).picture, before)
    with pytest.raises(ProviderFailed, match="no checkpoint gone; it has inkpunk, noir_xl"):
        sdapi.meet("gone", home)


def test_options_of_ones_own_are_sent_and_what_a_run_says_cannot_be_said_there(server, home) -> None:
    control = {"controlnet": {"args": [{"module": "canny"}]}}
    file = home / "mine.json"
    more_env(home, SDAPI_OPTIONS="mine.json")
    file.write_text(
        json.dumps(
            {
                "alwayson_scripts": control,
                "override_settings": {"sd_vae": "None"},
                "override_settings_restore_afterwards": False,
            }
        )
    )
    sdapi.meet(home=home).paint(photograph(1), brief())

    assert server.asked[0]["alwayson_scripts"] == control
    assert server.asked[0]["override_settings_restore_afterwards"] is False
    assert set(server.asked[0]["override_settings"]) == {"sd_vae", "sd_model_checkpoint"}
    for said, problem in (
        ('{"seed": 1}', "seed: that is said by the run"),
        ('{"override_settings": {"sd_model_checkpoint": "a"}}', "which checkpoint"),
        ("[1]", "no fields of img2img"),
        ("{", "no JSON"),
    ):
        file.write_text(said)
        with pytest.raises(SettingsInvalid, match=problem):
            sdapi.meet(home=home)
    file.unlink()
    with pytest.raises(SettingsInvalid, match="cannot be read: No such file"):
        sdapi.meet(home=home)
    file.write_text('{"steps": "many"}')
    painter = sdapi.meet(home=home)
    with pytest.raises(ProviderFailed, match=r"HTTP 422: body\.steps: wrong type str"):
        painter.paint(photograph(1), brief())


@pytest.mark.parametrize(
    ("word", "refusal"),
    [
        ("nan", (ProviderBusy, "server_error", "HTTP 500: NansException; A tensor with all NaNs")),
        ("half", (ProviderFailed, "answer_unusable", "its answer")),
        ("html", (ProviderFailed, "bad_answer", "is no JSON")),
        ("small", (ProviderFailed, "wrong_size", "32x96 pixels in place of 64x96")),
        ("seed", (ProviderFailed, "other_seed", "seed 1 in place of 7")),
        ("model", (ProviderFailed, "other_checkpoint", "0000000000 in place of inkpunk")),
        ("none", (ProviderFailed, "answer_unusable", "no picture")),
        ("text", (ProviderFailed, "answer_unusable", "no base64")),
        ("drop", (ProviderBusy, "broken_off", "broke off")),
    ],
)
def test_what_is_no_such_picture_is_refused_in_the_servers_own_words(server, home, word, refusal) -> None:
    kind, code, said = refusal
    painter = sdapi.meet(home=home)
    server.script.append(word)

    with pytest.raises(kind, match=said) as refused:
        painter.paint(photograph(1), brief())

    assert refused.value.code == code
    assert type(refused.value) is kind
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
    assert len(str(refused.value)) < 500


def test_a_server_that_never_answers_is_not_waited_for_longer_than_allowed(server, home) -> None:
    painter = sdapi.meet(home=home, timeout_s=0.3)
    server.script.append("hang")
    began = time.monotonic()

    with pytest.raises(ProviderBusy, match=r"had not answered after 0\.3 s; timeout_s under \[limits\.sdapi\]"):
        painter.paint(photograph(1), brief())

    assert time.monotonic() - began < 3


def test_a_password_is_sent_where_it_is_asked_for_and_shown_nowhere(server, home, tmp_path) -> None:
    server.auth = AUTH
    with pytest.raises(ProviderFailed, match="set SDAPI_AUTH=user:password"):
        sdapi.meet(home=home)
    more_env(home, SDAPI_AUTH="lila:wrong-password")
    with pytest.raises(ProviderFailed, match="check SDAPI_AUTH") as refused:
        sdapi.meet(home=home)
    more_env(home, SDAPI_AUTH=AUTH)
    painter = sdapi.meet(home=home)
    painter.paint(photograph(1), brief())

    assert "wrong-password" not in str(refused.value)
    assert "[hidden]" in str(refused.value)
    assert "sesame" not in repr(painter)
    assert b"sesame" not in pickle.dumps(painter)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://127.0.0.1", "is no address"),
        ("127.0.0.1:7860", "is no address"),
        ("http://lila:sesame@127.0.0.1", "put user:password into SDAPI_AUTH"),
        ("http://studio.example:7860", "neither https nor on this machine"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_anything_is_sent(tmp_path, address, said) -> None:
    more_env(tmp_path, SDAPI_URL=address, SDAPI_AUTH=AUTH)

    with pytest.raises(ProviderFailed, match=said) as refused:
        sdapi.meet(home=tmp_path)

    assert "sesame" not in str(refused.value)


def test_the_web_ui_without_its_api_is_told_from_one_that_is_not_there(server, home) -> None:
    more_env(home, SDAPI_URL=f"{server.url}/gradio")
    with pytest.raises(
        ProviderFailed, match=r"does not know /sdapi/v1/options: Not Found; start the web UI with --api"
    ):
        sdapi.meet(home=home)
    more_env(home, SDAPI_URL="http://127.0.0.1:9")
    with pytest.raises(ProviderBusy, match=r"no server answers at http://127\.0\.0\.1:9; start the web UI with --api"):
        sdapi.meet(home=home)


@pytest.fixture
def story(home) -> Project:
    return open_workbench(home).create_project("noir")


@pytest.fixture
def planned(story, tmp_path) -> Callable[..., object]:
    folder = write_scenes(tmp_path / "scenes", 2)
    return lambda **asked: story.plan(manifest=folder / "manifest.json", provider="sdapi", **asked)


def test_a_run_draws_each_candidate_with_its_seed_and_the_next_run_asks_for_no_picture(server, story, planned) -> None:
    run = story.run(planned(), workers=4)
    again = story.run(planned())

    assert (run.status, again.status) == (RunStatus.OK, RunStatus.OK)
    assert server.pictures == len(server.asked) == 4
    assert server.most_at_once == 1
    assert len({asked["seed"] for asked in server.asked}) == 4
    outputs = [candidate.output for job in run.log.jobs for candidate in job.candidates]
    assert len({(story.root / output).read_bytes() for output in outputs}) == 4
    assert all(record.reused for job in again.log.jobs for one in job.candidates for record in one.passes)
    assert not run.log.spent


def test_a_run_whose_server_dies_is_resumed_when_it_is_back(server, story, planned) -> None:
    server.script.extend(["ok", "die"])
    run = story.run(planned())
    ends = [candidate.status for job in run.log.jobs for candidate in job.candidates]
    messages = " ".join(one.failure.message for job in run.log.jobs for one in job.candidates if one.failure)
    left = story.runs.left(run.run_id)
    with pytest.raises(ProviderBusy, match="no server answers at"):
        story.runs.resume(run.run_id)
    with running(Sdapi(server.server_port)) as back:
        resumed = story.runs.resume(run.run_id)

    assert (ends.count(CandidateStatus.DONE), ends.count(CandidateStatus.FAILED_PROVIDER)) == (1, 3)
    assert "start the web UI with --api" in messages
    assert len(left.rows) == back.pictures == 3
    assert resumed.status is RunStatus.OK


def test_a_run_is_proven_while_the_server_is_there_and_unproven_while_it_is_not(server, story, planned) -> None:
    run = story.run(planned())

    proof = story.runs.verify(run.run_id)
    replayed = story.runs.replay(run.run_id)
    drawn = server.pictures
    server.settings["sd_model_checkpoint"] = "noir_xl.safetensors [ffeeddccbb]"
    elsewhere = story.runs.verify(run.run_id)
    server.die()
    alone = story.runs.verify(run.run_id)

    assert proof.ok
    assert proof.record.count(Verdict.EXACT) == len(proof.record.checks) == 4
    assert replayed.status is RunStatus.OK
    assert drawn == 12
    assert not elsewhere.ok
    assert "noir_xl ffeeddccbb00" in repr(elsewhere)
    assert elsewhere.record.count(Verdict.EXACT) == 0
    assert not alone.ok
    assert alone.record.count(Verdict.UNPROVEN) == 4
    assert all("no server answers at" in str(check.causes[0]) for check in alone.record.checks)
    assert "sdapi img2img (which does not answer) now" in repr(alone)


def test_a_run_that_cannot_be_drawn_is_refused_before_anything_is_made(server, story, planned, tmp_path) -> None:
    folder = write_scenes(tmp_path / "odd", 1)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["generation"]["size"] = "100x150"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RequestInvalid, match="sdapi img2img does not draw 100x150"):
        story.plan(manifest=folder / "manifest.json", provider="sdapi")
    made = planned()
    server.die()
    with pytest.raises(ProviderBusy, match="start the web UI with --api"):
        story.run(made)

    assert list(story.runs) == []


def test_the_doctor_says_in_a_second_whether_the_servers_are_there(server, home) -> None:
    more_env(home, COMFYUI_URL="http://127.0.0.1:9")
    there = {finding.piece: finding for finding in examine(home)}
    with socket.create_server(("127.0.0.1", 0)) as mute:
        more_env(home, COMFYUI_URL=f"http://127.0.0.1:{mute.getsockname()[1]}")
        began = time.monotonic()
        asked = {name: said for name, said, _ in looked_for(home, LOOK_S)}
        took_s = time.monotonic() - began

    assert there["sdapi server"].fine
    assert there["sdapi server"].found == f"{server.url} answers, checkpoint inkpunk.safetensors [1a2b3c4d5e]"
    assert not there["comfyui server"].fine
    assert there["comfyui server"].optional
    assert "start ComfyUI (python main.py)" in there["comfyui server"].found
    assert server.pictures == 0
    assert "had not answered after 0.8 s" in asked["comfyui"]
    assert took_s < 1.5
