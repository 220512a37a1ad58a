"""The page and the examples agree with the code."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

from kroma_nb.planning import validate_config
from kroma_nb.planning.config import ConfigFiles
from kroma_nb.settings import KEYS, Layer, SettingKey, load_settings
from kroma_nb.settings.files import SettingsSection

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "settings.md"
CONFIG = ROOT / "config"


def cells(entry: SettingKey) -> list[str]:
    default = entry.default
    shown = f"[{', '.join(default)}]" if isinstance(default, tuple) else str(default)
    shown = shown.lower() if isinstance(default, bool) else shown
    layers = ", ".join(layer.value for layer in entry.layers)
    return [f"`{entry.key}`", entry.kind, layers, "–" if default is None else f"`{shown}`", entry.meaning]


def test_the_page_has_the_table_of_keys_and_nothing_else_in_it() -> None:
    lines = PAGE.read_text(encoding="utf-8").split("## The keys")[1].split("##")[0].splitlines()

    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]

    assert rows == [cells(entry) for entry in KEYS]


def test_the_table_names_every_field_that_a_settings_file_may_hold() -> None:
    section = SettingsSection.model_fields
    inner = SettingsSection().postprocess
    fields = [name for name in section if name not in {"schema_", "postprocess"}]
    fields += [f"postprocess.{name}" for name in type(inner).model_fields]

    assert [entry.key for entry in KEYS] == fields


def test_no_layer_below_the_settings_files_sets_what_the_files_may_not() -> None:
    for entry in KEYS:
        assert entry.layers[:3] == (Layer.REQUEST, Layer.PROJECT, Layer.APP)


def test_the_examples_on_the_page_are_read(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    toml, text = re.findall(r"```(?:toml|json)\n(.*?)```", page, re.DOTALL)
    (tmp_path / "a.toml").write_text(toml, encoding="utf-8")
    (tmp_path / "a.json").write_text(text, encoding="utf-8")

    one, other = (load_settings(tmp_path, app_path=name) for name in ("a.toml", "a.json"))

    assert [one.get(entry.key) for entry in KEYS] == [other.get(entry.key) for entry in KEYS]
    assert one.get("postprocess.color_profile") == "cold_rain"


def test_the_example_settings_name_files_that_are_there(tmp_path: Path) -> None:
    shutil.copytree(CONFIG, tmp_path / "config")

    settings = load_settings(tmp_path)

    assert [file.path.name for file in settings.files] == ["pipeline.settings.toml"]
    for key in ("manifest_path", "postprocess_config_path"):
        path = settings.get(key)
        assert isinstance(path, Path)
        assert json.loads(path.read_text(encoding="utf-8"))


def test_the_examples_pass_the_check_of_the_whole_configuration(tmp_path: Path) -> None:
    shutil.copytree(CONFIG, tmp_path / "config")
    overrides = {"postprocess": {"color": True, "color_profile": "newsprint", "bg_remove": True, "upscale": False}}
    (tmp_path / ".kroma").mkdir()
    (tmp_path / ".kroma" / "pipeline.settings.json").write_text(json.dumps(overrides), encoding="utf-8")

    plain = validate_config(ConfigFiles(home=tmp_path))
    with_passes = validate_config(ConfigFiles(home=tmp_path, project_root=tmp_path))

    assert (plain.app_settings_loaded, plain.project_settings_loaded, plain.unused) == (True, False, ())
    assert with_passes.project_settings_loaded


def test_every_line_that_the_example_settings_offer_can_be_switched_on(tmp_path: Path) -> None:
    text = (CONFIG / "pipeline.settings.toml").read_text(encoding="utf-8")
    offered = re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE)
    (tmp_path / "all.toml").write_text(offered, encoding="utf-8")

    settings = load_settings(tmp_path, app_path="all.toml")

    assert settings.files[0].values == len(KEYS)


def test_the_colour_profile_that_the_example_offers_is_in_its_own_file() -> None:
    text = re.sub(r"^# (?=color_profile = )", "", (CONFIG / "pipeline.settings.toml").read_text(), flags=re.MULTILINE)
    profiles = json.loads((CONFIG / "color_profiles.json").read_text(encoding="utf-8"))

    named = tomllib.loads(text)["postprocess"]["color_profile"]

    assert named in profiles["profiles"]
    assert profiles["default_profile"] in profiles["profiles"]
