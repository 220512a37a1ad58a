"""What settings files may hold, where they are looked for, and how they are refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from kroma_nb.errors import FileMissing, KromaError, SettingsInvalid
from kroma_nb.settings import SIZE_LIMIT_BYTES, Layer, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Workspace


def refusal(workspace: Workspace, content: Any, name: str = "s.json") -> SettingsInvalid:
    path = workspace.write(workspace.home / name, content)
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(workspace.home, app_path=path)
    assert str(path) in str(caught.value)
    return caught.value


def test_without_any_file_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "nowhere", tmp_path / "nowhere" / "project")

    assert settings == load_settings(tmp_path)
    assert settings.files == ()


def test_the_toml_file_of_the_workspace_hides_its_json_file(workspace: Workspace) -> None:
    workspace.write(workspace.app_toml, "[postprocess]\ncolor = true\n")
    workspace.write(workspace.app_json, "{ this is never read")

    settings = workspace.load()

    assert settings.explain("postprocess.color").file == workspace.app_toml


def test_the_json_file_is_read_where_there_is_no_toml_file(workspace: Workspace) -> None:
    workspace.write(workspace.app_json, {"postprocess": {"color": True}})

    assert workspace.load().get("postprocess.color") is True


def test_without_a_project_its_settings_take_no_part(workspace: Workspace) -> None:
    workspace.write(workspace.project_json, {"postprocess": {"color": True}})

    assert load_settings(workspace.home).get("postprocess.color") is False


def test_a_relative_project_root_starts_at_the_workspace(workspace: Workspace) -> None:
    workspace.write(workspace.project_json, {"postprocess": {"color": True}})

    settings = load_settings(workspace.home, workspace.project.relative_to(workspace.home))

    assert settings.explain("postprocess.color").file == workspace.project_json


def test_named_files_take_the_place_of_the_default_ones(workspace: Workspace) -> None:
    workspace.write(workspace.app_toml, "[postprocess]\ncolor = true\n")
    workspace.write(workspace.project_json, {"postprocess": {"upscale": True}})
    workspace.write(workspace.home / "own.TOML", "[postprocess]\nbg_remove = true\n")
    workspace.write(workspace.project / "mine.txt", {"postprocess": {"color_profile": "cold_rain"}})

    settings = load_settings(workspace.home, workspace.project, app_path="own.TOML", project_path="mine.txt")

    assert [(file.layer, file.path) for file in settings.files] == [
        (Layer.PROJECT, workspace.project / "mine.txt"),
        (Layer.APP, workspace.home / "own.TOML"),
    ]
    assert settings.get("postprocess.color") is False
    assert settings.get("postprocess.upscale") is False


@pytest.mark.parametrize("given", ["app_path", "project_path"])
def test_a_named_file_that_is_absent_is_refused(workspace: Workspace, given: str) -> None:
    workspace.write(workspace.app_toml, "[postprocess]\ncolor = true\n")
    named: dict[str, Any] = {given: "lost.json"}

    with pytest.raises(FileMissing, match=r"lost\.json") as caught:
        load_settings(workspace.home, workspace.project, **named)

    assert caught.value.exit_code == 2


@pytest.mark.parametrize("empty", ["", "   "])
def test_an_empty_name_counts_as_not_given(workspace: Workspace, empty: str) -> None:
    workspace.write(workspace.app_toml, "[postprocess]\ncolor = true\n")

    settings = load_settings(workspace.home, workspace.project, app_path=empty, project_path=empty)

    assert settings.files == workspace.load().files


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"postprocess": {"upscale_backend": "ncnn", "bg_remove_backends": []}}'),
        ("b.json", '{"pipeline": {"postprocess": {"upscale_backend": " Ncnn", "bg_remove_backends": []}}}'),
        ("c.json", '\ufeff{"schema": "kroma_nb.settings/1", "postprocess": {"upscale_backend": "NCNN"}}'),
        ("d.json", '{"schema": "kroma_nb.settings/1", "pipeline": {"postprocess": {"upscale_backend": "NCNN"}}}'),
        ("e.toml", '[postprocess]\r\nupscale_backend = "ncnn"\r\n'),
        ("f.toml", '\ufeff[pipeline.postprocess]\nupscale_backend = "ncnn"\n'),
        ("no-extension", '{"postprocess": {"upscale_backend": "ncnn"}}'),
    ],
)
def test_every_documented_form_is_read(workspace: Workspace, name: str, content: str) -> None:
    path = workspace.write(workspace.home / name, content)

    settings = load_settings(workspace.home, app_path=path)

    assert settings.get("postprocess.upscale_backend") == "ncnn"


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        ({"postprocess": {"upscale": 1}}, "postprocess.upscale", "true or false"),
        ({"postprocess": {"upscale": None}}, "postprocess.upscale", "null"),
        ({"postprocess": {"upscale": "true"}}, "postprocess.upscale", "true or false"),
        ({"postprocess": {"upscale_backend": "gpu"}}, "postprocess.upscale_backend", "'ncnn' or 'python'"),
        ({"postprocess": {"color_profile": " \t"}}, "postprocess.color_profile", "blank"),
        ({"postprocess": {"bg_remove_backends": "rembg"}}, "postprocess.bg_remove_backends", "a list"),
        ({"postprocess": {"bg_remove_backends": ["rembg", ""]}}, "postprocess.bg_remove_backends[1]", "choose"),
        ({"postprocess": {"bg_remove_backends": ["rembg", 7]}}, "postprocess.bg_remove_backends[1]", "the number 7"),
        ({"postprocess": {"colour": True}}, "postprocess.colour", "did you mean 'color'"),
        ({"postprocess": []}, "postprocess", "an object"),
        ({"manifest_path": ""}, "manifest_path", "blank"),
        ({"manifest_path": "a\0b"}, "manifest_path", "character"),
        ({"manifest_path": 3.5}, "manifest_path", "a string"),
        ({"manifest": "m.json"}, "manifest", "did you mean 'manifest_path'"),
        ({"pipeline": {"manifest": "m.json"}}, "manifest", "did you mean 'manifest_path'"),
        ({"pipline": {}}, "pipline", "did you mean 'pipeline'"),
        ({"pipeline": []}, "pipeline", "an object"),
        ({"pipeline": {}, "postprocess": {}}, "postprocess", "move it into pipeline"),
        ({"pipeline": {}, "other": {}}, "other", "not known"),
        ({"schema": "kroma_nb.settings/9"}, "schema", "kroma_nb.settings/1"),
        (["postprocess"], "", "an object"),
    ],
)
def test_a_wrong_value_names_its_field_and_the_way_out(
    workspace: Workspace, content: Any, field: str, words: str
) -> None:
    error = refusal(workspace, content)

    assert error.field == field
    assert words in str(error)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", "", "line 1, column 1"),
        ("b.json", '{"postprocess":\n {"color": true', "line 2, column 16"),
        ("c.json", '{"postprocess": {"color": NaN}}', "postprocess.color: NaN is no JSON number"),
        ("d.json", '{"postprocess": {"color": 1e999}}', "postprocess.color"),
        ("e.json", '{"postprocess": {"color": true, "color": false}}', "postprocess.color: the key stands twice"),
        ("f.json", '{"postprocess": ' + "[" * 100_000, "nest less deeply"),
        ("g.json", '{"postprocess": ' + "[" * 300 + "]" * 300 + "}", "nested too deeply"),
        ("h.json", '{"a": ' + "9" * 5000 + "}", "digits"),
        ("i.json", b"\xff\xfe{\0}\0", "byte 0 is not UTF-8"),
        ("j.json", '{"manifest_path": "\\ud800"}', "manifest_path"),
        ("k.json", '{"postprocess": {"\\ud800": 1}}', "postprocess: the key \\ud800"),
        ("l.json", '{"\\ud800": 1}', "\\ud800: the key is not known"),
        ("m.toml", "[postprocess]\ncolor = yes\n", "line 2, column 9"),
        ("n.toml", "[postprocess]\ncolor =", "line 2, column 8"),
        ("o.toml", "[postprocess]\ncolor = true\ncolor = false\n", "line 3"),
        ("p.toml", "[postprocess]\ncolor = nan\n", "postprocess.color"),
        ("q.toml", "[postprocess]\ncolor_profile = 2026-11-22\n", "postprocess.color_profile"),
        ("r.toml", "[postprocess]\ncolor_profile = 07:30:00\n", "postprocess.color_profile"),
        ("s.toml", "a = " + "[" * 10_000, "nest less deeply"),
        ("t.toml", "a = " + "9" * 5000, "digits"),
        ("u.toml", b"# caf\xe9\n", "byte 5 is not UTF-8"),
        ("v.toml", '{"postprocess": {}}', "not TOML"),
    ],
)
def test_a_file_that_cannot_be_parsed_says_where_and_why(
    workspace: Workspace, name: str, content: str | bytes, words: str
) -> None:
    error = refusal(workspace, content, name)

    assert words in str(error)
    str(error).encode()


def test_a_file_that_is_far_too_large_is_not_read(workspace: Workspace) -> None:
    path = workspace.home / "s.json"
    with path.open("wb") as stream:
        stream.truncate(50 << 20)

    with pytest.raises(SettingsInvalid, match=f"{SIZE_LIMIT_BYTES:,} bytes"):
        load_settings(workspace.home, app_path=path)


def test_a_file_of_just_the_limit_is_read(workspace: Workspace) -> None:
    content = "[postprocess]\ncolor = true\n#"

    workspace.write(workspace.app_toml, content + "x" * (SIZE_LIMIT_BYTES - len(content)))

    assert workspace.load().get("postprocess.color") is True


def test_a_folder_in_place_of_a_file_is_refused_also_at_the_default_place(workspace: Workspace) -> None:
    workspace.app_toml.mkdir(parents=True)

    with pytest.raises(SettingsInvalid, match="no regular file"):
        workspace.load()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(workspace: Workspace) -> None:
    os.mkfifo(workspace.home / "pipe.toml")

    with pytest.raises(SettingsInvalid, match="no regular file"):
        load_settings(workspace.home, app_path="pipe.toml")


def test_a_link_that_leads_nowhere_is_refused_also_at_the_default_place(workspace: Workspace) -> None:
    workspace.app_toml.parent.mkdir()
    workspace.app_toml.symlink_to(workspace.home / "lost.toml")

    with pytest.raises(SettingsInvalid, match="the link leads nowhere"):
        workspace.load()


def test_a_link_to_itself_is_refused(workspace: Workspace) -> None:
    workspace.app_toml.parent.mkdir()
    workspace.app_toml.symlink_to(workspace.app_toml)

    with pytest.raises(SettingsInvalid, match=r"pipeline\.settings\.toml"):
        workspace.load()


@pytest.mark.parametrize("name", ["x" * 300 + ".json", "a\0b.json"])
def test_a_name_that_no_file_can_have_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(KromaError):
        load_settings(workspace.home, app_path=name)


def test_a_file_where_the_folder_should_be_counts_as_absent(workspace: Workspace) -> None:
    workspace.write(workspace.home / "config", "no folder")

    assert workspace.load().files == ()


@pytest.fixture
def locked(workspace: Workspace) -> Iterator[Workspace]:
    """Give a workspace whose settings nobody may read, and take root's rights away, who may read everything."""
    workspace.write(workspace.app_toml, "[postprocess]\ncolor = true\n").chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield workspace
    if root:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="permissions work differently here")
def test_a_file_without_permission_is_refused_also_at_the_default_place(locked: Workspace) -> None:
    with pytest.raises(SettingsInvalid, match=r"pipeline\.settings\.toml: cannot be read: Permission denied"):
        load_settings(locked.home)
