"""Checking the whole stack of configuration files without planning."""

from __future__ import annotations

from pathlib import Path

import pytest

from kroma_nb.errors import (
    ColorProfilesInvalid,
    FileMissing,
    LimitExceeded,
    ManifestInvalid,
    PostprocessInvalid,
    SettingsInvalid,
)
from kroma_nb.planning import ConfigFiles, ConfigSummary, validate_config


def test_an_empty_workspace_is_valid(story) -> None:
    assert validate_config(ConfigFiles(home=story.root)) == ConfigSummary(
        app_settings_loaded=False,
        project_settings_loaded=False,
        resolved_manifest_path=None,
        resolved_postprocess_config_path=None,
    )


def test_every_file_of_the_stack_is_found_and_named(story) -> None:
    story.write("config/pipeline.settings.json", {"manifest_path": "m.json"})
    story.write("p/.kroma/pipeline.settings.json", {"postprocess_config_path": "post.json"})
    story.write("m.json", {"scene_refs": ["not-looked-at.png"], "policy": {"allowed_style_roots": []}})
    story.write("post.json", {"upscale": {"tile": 0}})

    summary = validate_config(ConfigFiles(home=story.root, project_root=Path("p")))

    assert summary.app_settings_loaded
    assert summary.project_settings_loaded
    assert summary.resolved_manifest_path == str(story.root / "m.json")
    assert summary.resolved_postprocess_config_path == str(story.root / "post.json")
    assert summary.unused == (
        f"{story.root / 'm.json'}: policy.allowed_style_roots",
        f"{story.root / 'post.json'}: upscale.tile",
    )


def test_a_settings_file_that_sets_nothing_does_not_count_as_loaded(story) -> None:
    story.write("config/pipeline.settings.json", {})

    assert not validate_config(ConfigFiles(home=story.root)).app_settings_loaded


def test_named_files_take_the_place_of_those_in_the_settings(story) -> None:
    story.write("config/pipeline.settings.json", {"manifest_path": "broken.json"})
    story.write("broken.json", "{")
    story.write("m.json", {})

    summary = validate_config(ConfigFiles(home=story.root, manifest=Path("m.json")))

    assert summary.resolved_manifest_path == str(story.root / "m.json")


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("config/pipeline.settings.json", {"postproces": {}}, SettingsInvalid, ["postproces", "did you mean"]),
        ("p/.kroma/pipeline.settings.json", {"manifest_path": 3}, SettingsInvalid, ["manifest_path"]),
        ("m.json", {"generation": {"candidates": 0}}, ManifestInvalid, ["generation.candidates"]),
        ("m.json", {"generation": {"candidates": 7}}, LimitExceeded, ["generation.candidates", "max_candidates"]),
        ("m.json", {"generation": {"provider": "inc"}}, ManifestInvalid, ["generation.provider", "ink"]),
        ("post.json", {"upscale": {"scale": 0}}, PostprocessInvalid, ["upscale.scale"]),
        ("post.json", {"color": {"settings_file": "gone.json"}}, FileMissing, ["color.settings_file", "gone.json"]),
        ("profiles.json", {"profiles": {"a": {"gama": 1}}}, ColorProfilesInvalid, ["profiles.a.gama", "gamma"]),
    ],
)
def test_the_first_thing_that_is_wrong_is_named_with_file_field_and_way_out(story, name, content, error, words) -> None:
    story.write("config/pipeline.settings.json", {"manifest_path": "m.json", "postprocess_config_path": "post.json"})
    story.write("p/.kroma/pipeline.settings.json", {})
    story.write("m.json", {})
    story.write("post.json", {"color": {"settings_file": "profiles.json"}})
    story.write("profiles.json", {"profiles": {"a": {}}})
    story.write(name, content)

    with pytest.raises(error) as caught:
        validate_config(ConfigFiles(home=story.root, project_root=Path("p")))

    for word in [Path(name).name, *words]:
        assert word in str(caught.value)


def test_a_pass_that_cannot_work_is_found_where_the_settings_switch_it_on(story) -> None:
    story.write(
        "config/pipeline.settings.json", {"postprocess_config_path": "post.json", "postprocess": {"bg_remove": True}}
    )
    story.write("post.json", {"bg_remove": {"format": "jpg"}})

    with pytest.raises(PostprocessInvalid, match=r"bg_remove\.format"):
        validate_config(ConfigFiles(home=story.root))


def test_a_file_that_is_named_and_missing_is_refused(story) -> None:
    for field in ("app_settings", "manifest", "postprocess"):
        with pytest.raises(FileMissing, match=r"gone\.json"):
            validate_config(ConfigFiles(**{"home": story.root, field: Path("gone.json")}))


def test_a_check_writes_nothing(story) -> None:
    story.write("m.json", {})
    before = story.snapshot()

    validate_config(ConfigFiles(home=story.root, project_root=Path("p"), manifest=Path("m.json")))

    assert story.snapshot() == before
