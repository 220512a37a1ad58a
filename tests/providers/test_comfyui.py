"""ComfyUI as an engine: the artist's workflow filled, waited for and called off, and pictures that repeat by seed."""

from __future__ import annotations

import json
import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from comfy_server import Comfy
from home_servers import running
from studio import photograph, write_scenes

from kroma_nb.errors import ProviderBusy, ProviderFailed, SettingsInvalid
from kroma_nb.model.brief import Brief, Seeds, Size
from kroma_nb.model.replay import Verdict
from kroma_nb.model.words import CandidateStatus, RunStatus, Stage, TimeOfDay, Weather
from kroma_nb.providers import comfyui
from kroma_nb.providers.comfyui.workflow import built_in
from kroma_nb.providers.home import Letter
from kroma_nb.workbench import Project, open_workbench


@pytest.fixture(autouse=True)
def _no_other_servers(monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SDAPI_", "COMFYUI_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[Comfy]:
    with running(Comfy()) as there:
        yield there


@pytest.fixture
def home(server, tmp_path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".env").write_text(f"COMFYUI_URL={server.url}\n")
    return folder


def use(home: Path, nodes: object) -> Path:
    """Let a workspace name a workflow."""
    file = home / "mine.json"
    file.write_text(json.dumps(nodes))
    with (home / ".env").open("a") as env:
        env.write("COMFYUI_WORKFLOW=mine.json\n")
    return file


def exported(**titles: str) -> dict[str, dict]:
    """Give a workflow as the editor exports it: values of its own, and titles by node."""
    nodes = built_in().nodes
    nodes["1"]["inputs"]["ckpt_name"] = "noir_xl.safetensors"
    nodes["2"]["inputs"]["text"] = "a cat"
    nodes["4"]["inputs"]["image"] = "example.png"
    nodes["6"]["inputs"]["seed"] = 156680208700286
    usual = {"2": "Say {prompt}", "4": "{scene}", "6": "KSampler {seed}"}
    for key, title in (usual | {key.lstrip("n"): title for key, title in titles.items()}).items():
        nodes[key]["_meta"] = {"title": title}
    return nodes


def brief(seed: int = 7, prompt: str = "noir, ink") -> Brief:
    seeds = Seeds(style=seed, time=0, weather=0)
    size = Size(width=64, height=96)
    return Brief(stage=Stage.STYLE, time=TimeOfDay.DAY, weather=Weather.CLEAR, prompt=prompt, seeds=seeds, size=size)


def test_equal_seeds_give_equal_pictures_and_another_seed_another_one(server, home) -> None:
    painter = pickle.loads(pickle.dumps(comfyui.meet(home=home)))

    first, again, other = (painter.paint(photograph(1), brief(seed)) for seed in (7, 7, 2**32 + 8))

    assert np.array_equal(first.picture, again.picture)
    assert not np.array_equal(first.picture, other.picture)
    assert first.picture.shape[:2] == (96, 64)
    assert [one.nodes["6"]["inputs"]["seed"] for one in server.prompts.values()] == [7, 7, 8]
    assert first.notes == ("The scene was cropped to the shape of the page.",)


def test_a_scene_lies_on_the_server_once_under_a_name_of_its_content(server, home) -> None:
    painter = comfyui.meet(home=home)
    for seed, number in ((1, 1), (2, 1), (1, 2)):
        painter.paint(photograph(number, 64, 96), brief(seed))

    assert len(server.uploads) == 2
    for name, data in server.uploads.items():
        assert name.startswith("kroma-")
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (96, 64, 3)


def test_a_workflow_of_ones_own_is_filled_where_its_titles_say(server, home) -> None:
    use(home, exported())

    comfyui.meet(home=home).paint(photograph(1), brief(9, 'a "{seed}" of {width}'))

    (sent,) = [one.nodes for one in server.prompts.values()]
    assert sent["2"]["inputs"]["text"] == 'a "{seed}" of {width}'
    assert sent["6"]["inputs"]["seed"] == 9
    assert sent["4"]["inputs"]["image"] in server.uploads
    assert sent["1"]["inputs"]["ckpt_name"] == "noir_xl.safetensors"


def _without(word: str) -> dict[str, dict]:
    key = {"prompt": "2", "seed": "6", "scene": "4"}[word]
    return exported(**{f"n{key}": "plain"})


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (_without("prompt"), r"mine\.json: node 2 \(CLIPTextEncode\): no node takes \{prompt\}; write \{prompt\} into"),
        (_without("seed"), r"mine\.json: node 6 \(KSampler\): no node takes \{seed\}"),
        (_without("scene"), r"mine\.json: node 4 \(LoadImage\): no node takes \{scene\}"),
        (exported(n7="{seed}"), r"mine\.json: node 7 \(VAEDecode\): its title asks for \{seed\}, and it has no input"),
        ({"nodes": [], "links": []}, r"mine\.json: nodes: it is saved for the editor.*Export \(API\)"),
        ({"3": {"inputs": {}}}, r"mine\.json: it holds no nodes"),
        ([], r"mine\.json: it holds no nodes"),
    ],
)
def test_a_workflow_without_a_place_is_one_error_with_its_file_and_node(server, home, nodes, said) -> None:
    use(home, nodes)

    with pytest.raises(SettingsInvalid, match=said):
        comfyui.meet(home=home)

    assert server.seen == []


def test_the_version_follows_workflow_checkpoint_and_server(server, home) -> None:
    def version(model: str = "workflow") -> str:
        return comfyui.meet(model, home).version

    usual, same, named = version(), version(), version("noir_xl")
    server.version = "0.9.3"
    newer = version()
    file = use(home, exported())
    own = version()
    nodes = exported()
    nodes["6"]["inputs"]["steps"] = 12
    file.write_text(json.dumps(nodes))
    fewer = version()

    assert usual == same
    assert usual.startswith("1 ComfyUI 0.9.2 ")
    assert len({usual, named, newer, own, fewer}) == 5
    with pytest.raises(SettingsInvalid, match="no node takes the checkpoint noir_xl"):
        version("noir_xl")


def test_a_checkpoint_that_is_not_there_is_told_with_those_that_are(server, home) -> None:
    with pytest.raises(ProviderFailed, match=r"no checkpoint gone; it has inkpunk\.safetensors, noir_xl\.safetensors"):
        comfyui.meet("gone", home)
    server.checkpoints.clear()
    with pytest.raises(ProviderFailed, match="put one into models/checkpoints"):
        comfyui.meet(home=home)


@pytest.mark.parametrize(
    ("word", "refusal"),
    [
        ("fails", (ProviderFailed, "node_failed", r"node 6 \(KSampler\) fails: CUDA out of memory\.$")),
        ("stopped", (ProviderFailed, "interrupted", "somebody has interrupted it")),
        ("gone", (ProviderFailed, "taken_away", "neither in its queue nor in its history")),
        ("empty", (ProviderFailed, "no_picture", "no node has given a picture; add Save Image")),
        ("small", (ProviderFailed, "wrong_size", "32x96 pixels in place of 64x96")),
        ("text", (ProviderFailed, "answer_unusable", "its answer")),
        ("lost", (ProviderFailed, "picture_lost", "00_8.png is not there any more; restart ComfyUI")),
        ("drop", (ProviderBusy, "broken_off", "broke off")),
    ],
)
def test_what_goes_wrong_is_said_in_the_servers_own_words(server, home, word, refusal) -> None:
    kind, code, said = refusal
    painter = comfyui.meet(home=home)
    server.script.append(word)

    with pytest.raises(kind, match=said) as refused:
        painter.paint(photograph(1), brief())

    assert (type(refused.value), refused.value.code) == (kind, code)


def test_a_workflow_that_the_server_refuses_is_told_with_its_nodes(server, home) -> None:
    nodes = exported()
    nodes["6"]["inputs"]["steps"] = "many"
    use(home, nodes)
    painter = comfyui.meet(home=home)

    with pytest.raises(ProviderFailed, match=r"failed validation; node 6 \(KSampler\): Value not valid: steps"):
        painter.paint(photograph(1), brief())


def test_a_slow_picture_is_waited_for_and_one_that_never_comes_is_called_off(server, home) -> None:
    server.script.extend(["slow", "never"])
    assert comfyui.meet(home=home).paint(photograph(1), brief()).picture.shape[:2] == (96, 64)
    painter = comfyui.meet(home=home, timeout_s=0.3)
    began = time.monotonic()

    with pytest.raises(ProviderBusy, match=r"not done after 0\.3 s; timeout_s under \[limits\.comfyui\]"):
        painter.paint(photograph(1), brief(8))

    assert time.monotonic() - began < 3
    never = list(server.prompts)[1]
    assert (server.deleted, server.interrupted) == ([never], [never])


def test_a_prompt_that_only_waits_is_taken_out_and_the_one_before_it_is_left_alone(server, home) -> None:
    server.script.extend(["never", "never"])
    comfyui.server_at(home).ask(_prompt_of(server), 5)

    with pytest.raises(ProviderBusy, match="not done"):
        comfyui.meet(home=home, timeout_s=0.3).paint(photograph(1), brief())

    others, own = server.prompts
    assert server.deleted == [own]
    assert server.interrupted == []
    assert not server.prompts[others].stopped


def _prompt_of(server: Comfy) -> Letter:
    server.uploads["theirs.png"] = b""
    values = {"prompt": "theirs", "seed": 1, "scene": "theirs.png", "checkpoint": server.checkpoints[0]}
    return Letter("/prompt", {"prompt": built_in().filled(values)})


def test_of_several_pictures_the_one_that_is_kept_or_marked_is_taken(server, home) -> None:
    nodes = exported()
    nodes["9"] = {"class_type": "PreviewImage", "inputs": {"images": ["7", 0]}}
    file = use(home, nodes)
    kept = comfyui.meet(home=home).paint(photograph(1), brief())
    nodes["10"] = {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "b"}}
    file.write_text(json.dumps(nodes))
    with pytest.raises(ProviderFailed, match=r"nodes 10, 8 all give pictures; write \{page\} into the title"):
        comfyui.meet(home=home).paint(photograph(1), brief())
    nodes["10"]["_meta"] = {"title": "{page}"}
    file.write_text(json.dumps(nodes))
    marked = comfyui.meet(home=home).paint(photograph(1), brief())

    assert np.array_equal(kept.picture, marked.picture)
    assert "_10.png" in server.paths("GET")[-1]


@pytest.fixture
def story(home) -> Project:
    return open_workbench(home).create_project("noir")


def test_a_run_is_kept_resumed_when_the_server_was_gone_and_proven(server, story, tmp_path) -> None:
    folder = write_scenes(tmp_path / "scenes", 2)
    server.script.extend(["ok", "fails"])

    run = story.run(story.plan(manifest=folder / "manifest.json", provider="comfyui"))
    failures = [one.failure for job in run.log.jobs for one in job.candidates if one.failure]
    ends = [one.status for job in run.log.jobs for one in job.candidates]
    resumed = story.runs.resume(run.run_id)
    drawn = server.pictures
    again = story.run(story.plan(manifest=folder / "manifest.json", provider="comfyui"))
    proof = story.runs.verify(run.run_id)
    drawn_for_proof = server.pictures - drawn
    server.die()
    alone = story.runs.verify(run.run_id)

    assert (ends.count(CandidateStatus.DONE), [one.error_code for one in failures]) == (3, ["node_failed"])
    assert (resumed.status, again.status) == (RunStatus.OK, RunStatus.OK)
    assert (drawn, drawn_for_proof) == (4, 4)
    assert proof.ok
    assert not alone.ok
    assert alone.record.count(Verdict.UNPROVEN) == len(alone.record.checks) == 4
    assert "start ComfyUI (python main.py)" in str(alone.record.checks[0].causes[0])
