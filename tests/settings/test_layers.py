"""Which layer wins, and what is said about it."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kroma_nb.errors import PostprocessInvalid, RequestInvalid
from kroma_nb.model.plan import PlanRequest, PostprocessRequest
from kroma_nb.model.postprocess import CutoutBackend, UpscaleBackend
from kroma_nb.settings import KEYS, Layer, LoadedFile, SettingKey, Settings, Shadowed, load_settings

if TYPE_CHECKING:
    from conftest import Workspace

# Two written values a type, the weak-looking one first: what a careless merge would take for "not said".
WRITTEN: dict[str, tuple[Any, Any]] = {
    "path": ("one.json", "two.json"),
    "true or false": (False, True),
    "`lanczos`, `ncnn` or `python`": ("ncnn", "python"),
    "whole number, 0 to 1000000": (0, 500),
    "string, not blank": ("cold_rain", "cinematic_warm"),
    "list of `grabcut`, `onnx`, `rembg`, `photoroom`, `removebg`": ([], ["removebg", "rembg"]),
}


def read(entry: SettingKey, written: Any, home: Path) -> Any:
    if entry.kind == "path":
        return home / written
    return tuple(written) if isinstance(written, list) else written


PAIRS = [
    pytest.param(entry, stronger, weaker, values, id=f"{entry.key}: {stronger.value} over {weaker.value}: {values[0]}")
    for entry in KEYS
    for stronger, weaker in itertools.combinations(entry.layers, 2)
    for values in itertools.permutations(WRITTEN[entry.kind])
]


@pytest.mark.parametrize(("entry", "stronger", "weaker", "values"), PAIRS)
def test_the_stronger_of_two_layers_wins_whatever_it_says(
    workspace: Workspace, entry: SettingKey, stronger: Layer, weaker: Layer, values: tuple[Any, Any]
) -> None:
    settings = workspace.saying(entry.key, {stronger: values[0], weaker: values[1]})

    explanation = settings.explain(entry.key)

    assert explanation.value == read(entry, values[0], workspace.home)
    assert explanation.layer is stronger
    assert (explanation.shadowed[0].layer, explanation.shadowed[0].value) == (
        weaker,
        read(entry, values[1], workspace.home),
    )


@pytest.mark.parametrize("entry", KEYS, ids=lambda entry: entry.key)
def test_every_layer_that_may_set_a_key_beats_its_default(workspace: Workspace, entry: SettingKey) -> None:
    written = next(value for value in WRITTEN[entry.kind] if read(entry, value, workspace.home) != entry.default)

    for layer in entry.layers:
        settings = workspace.saying(entry.key, {layer: written})
        assert settings.get(entry.key) == read(entry, written, workspace.home), layer
        for path in (workspace.app_json, workspace.project_json):
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("entry", KEYS, ids=lambda entry: entry.key)
def test_built_in_settings_hold_the_documented_defaults(entry: SettingKey) -> None:
    settings = Settings.built_in()

    assert settings.get(entry.key) == entry.default
    assert settings.explain(entry.key).layer is Layer.BUILT_IN
    assert settings.files == ()


def test_a_request_switches_off_a_pass_that_both_files_switch_on(workspace: Workspace) -> None:
    settings = workspace.saying("postprocess.upscale", {Layer.PROJECT: True, Layer.APP: True})

    asked = settings.with_request(PostprocessRequest(upscale=False))

    assert settings.get("postprocess.upscale") is True
    assert asked.get("postprocess.upscale") is False


def test_what_a_request_leaves_open_is_left_to_the_files(workspace: Workspace) -> None:
    settings = workspace.saying("postprocess.color", {Layer.PROJECT: True})

    asked = settings.with_request(PostprocessRequest(upscale=True))

    assert asked.get("postprocess.color") is True


def test_layers_merge_key_by_key(workspace: Workspace) -> None:
    workspace.write(workspace.app_toml, '[postprocess]\ncolor = true\ncolor_profile = "cold_rain"\n')
    workspace.write(workspace.project_json, {"postprocess": {"color_profile": "neutral"}})

    settings = workspace.load()

    assert settings.get("postprocess.color") is True
    assert settings.get("postprocess.color_profile") == "neutral"


def test_values_come_back_in_their_own_types() -> None:
    settings = Settings.built_in().with_request({"upscale_backend": "NCNN ", "bg_remove_backends": ["RemBG"]})

    assert settings.get("postprocess.upscale_backend") is UpscaleBackend.NCNN
    assert settings.get("postprocess.bg_remove_backends") == (CutoutBackend.REMBG,)


def test_an_explanation_names_the_winner_and_all_that_it_hides(workspace: Workspace) -> None:
    settings = workspace.saying(
        "postprocess.upscale_backend",
        {Layer.REQUEST: "ncnn", Layer.PROJECT: "python", Layer.APP: "ncnn", Layer.POSTPROCESS_FILE: "python"},
    )

    explanation = settings.explain("postprocess.upscale_backend")

    assert (explanation.layer, explanation.file) == (Layer.REQUEST, None)
    assert explanation.shadowed == (
        Shadowed(Layer.PROJECT, workspace.project_json, UpscaleBackend.PYTHON),
        Shadowed(Layer.APP, workspace.app_json, UpscaleBackend.NCNN),
        Shadowed(Layer.POSTPROCESS_FILE, workspace.home / "post.json", UpscaleBackend.PYTHON),
        Shadowed(Layer.BUILT_IN, None, UpscaleBackend.LANCZOS),
    )
    assert str(explanation).splitlines() == [
        "postprocess.upscale_backend = ncnn from the request",
        f"  instead of python from the project settings {workspace.project_json}",
        f"  instead of ncnn from the app settings {workspace.app_json}",
        f"  instead of python from the postprocess file {workspace.home / 'post.json'}",
        "  instead of lanczos from the built-in default",
    ]


def test_an_explanation_shows_false_and_empty_lists_as_a_file_writes_them() -> None:
    settings = Settings.built_in().with_request({"upscale": False, "bg_remove_backends": ()})

    assert str(settings.explain("postprocess.upscale")).startswith("postprocess.upscale = false from")
    assert str(settings.explain("postprocess.bg_remove_backends")).startswith(
        "postprocess.bg_remove_backends = [] from"
    )


def test_a_key_that_nobody_sets_says_so() -> None:
    explanation = Settings.built_in().explain("manifest_path")

    assert explanation.value is None
    assert str(explanation) == "manifest_path is set nowhere"


def test_a_path_says_which_file_it_came_from(workspace: Workspace) -> None:
    settings = workspace.saying("manifest_path", {Layer.PROJECT: "m.json"})

    assert settings.explain("manifest_path").origin == f"{workspace.project_json}: manifest_path"
    asked = settings.with_request({"manifest_path": "n.json"}, root=workspace.home)
    assert asked.explain("manifest_path").origin == "request: manifest_path"


@pytest.mark.parametrize(
    ("key", "hint"), [("postprocess.upscal", "postprocess.upscale"), ("manifest", "manifest_path"), ("\ud800", "known")]
)
def test_an_unknown_key_is_refused_with_a_hint(key: str, hint: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        Settings.built_in().get(key)

    assert hint in str(caught.value)
    str(caught.value).encode()


def test_paths_of_settings_files_start_at_the_workspace_and_those_of_a_request_at_its_root(
    workspace: Workspace,
) -> None:
    workspace.write(workspace.app_json, {"manifest_path": "config/manifest.json"})
    workspace.write(workspace.project_json, {"postprocess_config_path": "config/post.json"})

    settings = workspace.load()
    asked = settings.with_request(
        PlanRequest(project="harbour", root=workspace.project, manifest_path=Path("own.json")),
    )

    assert settings.get("manifest_path") == workspace.home / "config" / "manifest.json"
    assert settings.get("postprocess_config_path") == workspace.home / "config" / "post.json"
    assert asked.get("manifest_path") == workspace.project / "own.json"


def test_absolute_paths_stay_as_they_are(workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"

    settings = workspace.saying("manifest_path", {Layer.APP: str(elsewhere)})
    asked = settings.with_request(PostprocessRequest(config_path=elsewhere))

    assert settings.get("manifest_path") == elsewhere
    assert asked.get("postprocess_config_path") == elsewhere


def test_paths_stay_right_when_the_current_folder_changes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.write(workspace.app_json, {"manifest_path": "m.json"})
    monkeypatch.chdir(workspace.home)

    settings = load_settings(Path())
    monkeypatch.chdir("/")

    assert settings.get("manifest_path") == workspace.home / "m.json"


def test_a_relative_path_of_a_request_without_a_root_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="postprocess_config_path") as caught:
        Settings.built_in().with_request(PostprocessRequest(config_path=Path("post.json")))

    assert caught.value.way_out == "write an absolute path"


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_an_empty_path_of_a_request_counts_as_not_given(workspace: Workspace, nothing: object) -> None:
    settings = workspace.saying("manifest_path", {Layer.APP: "m.json"})

    asked = settings.with_request({"manifest_path": nothing})

    assert asked.get("manifest_path") == workspace.home / "m.json"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"upscale": 1}, "postprocess.upscale"),
        ({"upscale": "yes"}, "postprocess.upscale"),
        ({"upscale_backend": "gpu"}, "postprocess.upscale_backend"),
        ({"bg_remove_backends": "rembg"}, "postprocess.bg_remove_backends"),
        ({"bg_remove_backends": ["rembg", object()]}, "postprocess.bg_remove_backends[1]"),
        ({"color_profile": "  "}, "postprocess.color_profile"),
        ({"color_profile": "a\0b"}, "postprocess.color_profile"),
        ({"manifest_path": 3}, "manifest_path"),
        ({"manifest_path": "\ud800"}, "manifest_path"),
        ({"upscal": True}, "upscal"),
        ({"schema": "kroma_nb.settings/1"}, "schema"),
    ],
)
def test_a_wrong_request_names_its_field(asked: dict[str, Any], field: str, tmp_path: Path) -> None:
    with pytest.raises(RequestInvalid) as caught:
        Settings.built_in().with_request(asked, root=tmp_path)

    assert (caught.value.file, caught.value.field) == ("request", field)


def test_a_second_request_takes_the_place_of_the_first() -> None:
    first = Settings.built_in().with_request({"upscale": True})

    second = first.with_request({"color": True})

    assert second == Settings.built_in().with_request({"color": True})


def test_the_order_in_which_layers_are_added_does_not_matter(tmp_path: Path) -> None:
    request, post = {"upscale_backend": "ncnn"}, {"postprocess.upscale_backend": "python"}

    one = Settings.built_in().with_request(request).with_postprocess_file(tmp_path / "p.json", post)
    other = Settings.built_in().with_postprocess_file(tmp_path / "p.json", post).with_request(request)

    assert one == other
    assert one.get("postprocess.upscale_backend") is UpscaleBackend.NCNN


@pytest.mark.parametrize("key", ["manifest_path", "postprocess.upscale", "postprocess.upscal"])
def test_a_postprocess_file_sets_only_what_it_may(tmp_path: Path, key: str) -> None:
    with pytest.raises(PostprocessInvalid, match=r"post\.json") as caught:
        Settings.built_in().with_postprocess_file(tmp_path / "post.json", {key: True})

    assert caught.value.field == key


def test_files_tell_how_many_values_each_set(workspace: Workspace) -> None:
    workspace.write(workspace.app_toml, 'manifest_path = "m.json"\n[postprocess]\ncolor = false\n')
    workspace.write(workspace.project_json, {})

    settings = workspace.load().with_postprocess_file(
        workspace.home / "post.json", {"postprocess.color_profile": "cold_rain", "postprocess.upscale_backend": None}
    )

    assert settings.files == (
        LoadedFile(Layer.PROJECT, workspace.project_json, 0),
        LoadedFile(Layer.APP, workspace.app_toml, 2),
        LoadedFile(Layer.POSTPROCESS_FILE, workspace.home / "post.json", 1),
    )


def test_settings_can_be_pickled_compared_and_hashed(workspace: Workspace) -> None:
    settings = workspace.saying("postprocess.bg_remove_backends", {Layer.APP: ["rembg"], Layer.REQUEST: []})

    again = pickle.loads(pickle.dumps(settings))

    assert again == settings
    assert hash(again) == hash(settings)
