"""The planning manifest: what it accepts, what it refuses and how it says so."""

from __future__ import annotations

import json
import os

import pytest

from kroma_nb.errors import FileMissing, KromaError, ManifestInvalid
from kroma_nb.planning import Manifest, load_manifest


def test_an_empty_manifest_holds_the_documented_defaults(story) -> None:
    path = story.write("m.json", {})

    manifest = load_manifest(path)

    assert manifest == Manifest()
    assert (manifest.safe_batch_limit, manifest.generation.candidates, manifest.generation.max_candidates) == (20, 1, 6)
    assert (manifest.generation.seed, manifest.generation.provider) == (0, "ink")
    assert manifest.policy.default_no_invention
    assert manifest.guard.max_chroma_delta == 2.0
    assert not manifest.guard.enforce_grayscale
    assert not manifest.guard.fail_on_chroma_exceed
    assert not manifest.guard.judge_chroma


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], ""),
        ("text", ""),
        (None, ""),
        ({"scene_refs": "a.png"}, "scene_refs"),
        ({"scene_refs": None}, "scene_refs"),
        ({"scene_refs": ["a.png", " "]}, "scene_refs[1]"),
        ({"scene_refs": ["a.png", None]}, "scene_refs[1]"),
        ({"scene_refs": ["a.png", 3]}, "scene_refs[1]"),
        ({"scene_refs": ["a\0.png"]}, "scene_refs[0]"),
        ({"scene_refs": ["a\ud800.png"]}, "scene_refs[0]"),
        ({"style_refs": [""]}, "style_refs[0]"),
        ({"style_refs": {}}, "style_refs"),
        ({"safe_batch_limit": 0}, "safe_batch_limit"),
        ({"safe_batch_limit": 3.0}, "safe_batch_limit"),
        ({"safe_batch_limit": True}, "safe_batch_limit"),
        ({"generation": []}, "generation"),
        ({"generation": {"candidates": 0}}, "generation.candidates"),
        ({"generation": {"candidates": 3.0}}, "generation.candidates"),
        ({"generation": {"candidates": True}}, "generation.candidates"),
        ({"generation": {"candidates": "3"}}, "generation.candidates"),
        ({"generation": {"candidates": None}}, "generation.candidates"),
        ({"generation": {"max_candidates": -1}}, "generation.max_candidates"),
        ({"generation": {"seed": -1}}, "generation.seed"),
        ({"generation": {"seed": 2**53}}, "generation.seed"),
        ({"generation": {"seed": 1.5}}, "generation.seed"),
        ({"generation": {"size": 15}}, "generation.size"),
        ({"generation": {"size": 8193}}, "generation.size"),
        ({"generation": {"size": True}}, "generation.size"),
        ({"generation": {"size": 1536.0}}, "generation.size"),
        ({"generation": {"size": "1024x8"}}, "generation.size"),
        ({"generation": {"size": "-1024x1024"}}, "generation.size"),
        ({"generation": {"size": "auto"}}, "generation.size"),
        ({"generation": {"size": "1024"}}, "generation.size"),
        ({"generation": {"size": [1024, 768]}}, "generation.size"),
        ({"generation": {"provider": " "}}, "generation.provider"),
        ({"generation": {"hand": {"tones": 5}}}, "generation.hand.tones"),
        ({"generation": {"hand": {"threshold": {"low": 0.6, "high": 0.4}}}}, "generation.hand.threshold"),
        ({"generation": {"hand": {"line_weight": {"low": 0.1, "high": 1}}}}, "generation.hand.line_weight"),
        ({"generation": {"hand": {"line_weight": 1}}}, "generation.hand.line_weight"),
        ({"output_guard": {"enforce_grayscale": 1}}, "output_guard.enforce_grayscale"),
        ({"output_guard": {"enforce_grayscale": "true"}}, "output_guard.enforce_grayscale"),
        ({"output_guard": {"max_chroma_delta": -0.1}}, "output_guard.max_chroma_delta"),
        ({"output_guard": {"max_chroma_delta": True}}, "output_guard.max_chroma_delta"),
        ({"output_guard": {"fail_on_chroma_exceed": None}}, "output_guard.fail_on_chroma_exceed"),
        ({"policy": True}, "policy"),
        ({"policy": {"default_no_invention": 0}}, "policy.default_no_invention"),
        ({"prompts": {"style_base": 3}}, "prompts.style_base"),
        ({"prompts": {"style_base": None}}, "prompts.style_base"),
        ({"prompts": []}, "prompts"),
        ({"scenes": [{"ref": "a.png"}, {"name": "no picture"}]}, "scenes[1].ref"),
        ({"scenes": [{"ref": ""}]}, "scenes[0].ref"),
        ({"scenes": ["a.png"]}, "scenes[0]"),
        ({"scenes": [{"ref": "a.png", "ground_line": 1.1}]}, "scenes[0].ground_line"),
        ({"scenes": [{"ref": "a.png", "seed": 0.0}]}, "scenes[0].seed"),
        ({"scenes": [{"ref": "a.png", "name": "two\nlines"}]}, "scenes[0].name"),
        ({"scenes": [{"ref": "a.png", "name": "n" * 201}]}, "scenes[0].name"),
        ({"scenes": [{"ref": "a.png", "prompt": " "}]}, "scenes[0].prompt"),
        ({"scenes": [{"ref": "a.png"}], "scene_refs": ["b.png"]}, "scenes"),
    ],
)
def test_a_wrong_value_is_refused_with_its_dotted_field(story, data, field) -> None:
    path = story.write("m.json", data)

    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(path)

    assert caught.value.field == field
    assert str(caught.value).startswith(f"{path}: {field}: " if field else f"{path}: ")
    assert caught.value.way_out


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"output_guard": {"max_chroma_delta": NaN}}', "output_guard.max_chroma_delta"),
        ('{"output_guard": {"max_chroma_delta": -Infinity}}', "output_guard.max_chroma_delta"),
        ('{"output_guard": {"max_chroma_delta": 1e999}}', "output_guard.max_chroma_delta"),
        ('{"generation": {"seed": 1, "seed": 2}}', "generation.seed"),
    ],
)
def test_what_is_no_json_value_is_refused_with_its_dotted_field(story, text, field) -> None:
    path = story.write("m.json", text)

    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(path)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("data", "field", "meant"),
    [
        ({"scene_ref": []}, "scene_ref", "scene_refs"),
        ({"generation": {"candidate": 2}}, "generation.candidate", "candidates"),
        ({"generation": {"hand": {"tone": 2}}}, "generation.hand.tone", "tones"),
        ({"output_guard": {"enforce_greyscale": True}}, "output_guard.enforce_greyscale", "enforce_grayscale"),
        ({"prompts": {"weather_rian": "…"}}, "prompts.weather_rian", "weather_rain"),
        ({"scenes": [{"ref": "a.png", "groundline": 0.5}]}, "scenes[0].groundline", "ground_line"),
    ],
)
def test_an_unknown_key_gets_a_hint(story, data, field, meant) -> None:
    path = story.write("m.json", data)

    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(path)

    assert caught.value.field == field
    assert f"did you mean '{meant}'?" in str(caught.value)


@pytest.mark.parametrize("value", [["references/"], None, 3])
def test_a_legacy_key_is_accepted_whatever_it_holds(story, value) -> None:
    path = story.write("m.json", {"policy": {"allowed_style_roots": value, "default_no_invention": False}})

    assert not load_manifest(path).policy.default_no_invention


def test_a_legacy_key_in_another_place_is_unknown(story) -> None:
    path = story.write("m.json", {"policy.allowed_style_roots": []})

    with pytest.raises(ManifestInvalid, match="the key is not known"):
        load_manifest(path)


@pytest.mark.parametrize(
    ("size", "scene", "page"),
    [
        (1536, (3000, 2000), "1536x1024"),
        (1536, (2000, 3000), "1024x1536"),
        (100, (3, 2), "100x67"),
        (16, (4000, 10), "16x16"),
        (100, (4000, 10), "100x16"),
        (100, (10, 4000), "16x100"),
        ("300x200", (20, 3000), "300x200"),
        (" 300 X 200 ", (20, 3000), "300x200"),
        (8192, (7, 7), "8192x8192"),
    ],
)
def test_a_page_keeps_the_scenes_aspect_unless_both_sides_are_fixed(story, size, scene, page) -> None:
    path = story.write("m.json", {"generation": {"size": size}})

    assert str(load_manifest(path).generation.size.of(*scene)) == page


def test_naming_any_guard_key_has_colour_judged(story) -> None:
    path = story.write("m.json", {"output_guard": {"max_chroma_delta": 2}})

    assert load_manifest(path).guard.judge_chroma


def test_a_guard_section_without_keys_judges_no_colour(story) -> None:
    path = story.write("m.json", {"output_guard": {}})

    assert not load_manifest(path).guard.judge_chroma


@pytest.mark.parametrize(
    ("depth", "words"), [(30, "prompts: expected"), (200, "levels"), (900, "levels"), (100_000, "nest less deeply")]
)
def test_deep_nesting_is_refused_and_never_breaks_the_reader(story, depth, words) -> None:
    path = story.write("m.json", '{"prompts":' + "[" * depth + "]" * depth + "}")

    with pytest.raises(ManifestInvalid, match=words):
        load_manifest(path)


def test_a_byte_order_mark_is_no_mistake(story) -> None:
    path = story.root / "m.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"generation": {"seed": 7}}).encode())

    assert load_manifest(path).generation.seed == 7


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1', b"\xff\xfe{}", b'{"seed": 1}\x00'])
def test_a_damaged_file_is_refused_by_name(story, content) -> None:
    path = story.root / "m.json"
    path.write_bytes(content)

    with pytest.raises(ManifestInvalid, match=r"m\.json"):
        load_manifest(path)


def test_a_missing_manifest_is_told_apart_from_a_wrong_one(story) -> None:
    with pytest.raises(FileMissing, match=r"nowhere\.json"):
        load_manifest(story.root / "nowhere.json")


def test_a_folder_and_a_pipe_are_no_manifest(story) -> None:
    pipe = story.root / "pipe.json"
    os.mkfifo(pipe)

    for path in (story.root, pipe):
        with pytest.raises(FileMissing, match="no regular file"):
            load_manifest(path)


def test_a_sparse_giant_is_refused_before_it_is_read(story) -> None:
    path = story.root / "m.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(KromaError, match="bytes are more than"):
        load_manifest(path)
