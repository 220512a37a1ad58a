"""A workspace with a project, and the files that a test wants in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from kroma_nb.settings import Layer, Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """Writes settings files where they are looked for."""

    home: Path

    @property
    def project(self) -> Path:
        return self.home / "var" / "projects" / "harbour"

    @property
    def app_toml(self) -> Path:
        return self.home / "config" / "pipeline.settings.toml"

    @property
    def app_json(self) -> Path:
        return self.home / "config" / "pipeline.settings.json"

    @property
    def project_json(self) -> Path:
        return self.project / ".kroma" / "pipeline.settings.json"

    def write(self, path: Path, content: str | bytes | dict[str, Any] | list[Any]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict | list):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(self) -> Settings:
        return load_settings(self.home, self.project)

    def saying(self, key: str, said: dict[Layer, Any]) -> Settings:
        """Load settings in which each layer says one value of one key."""
        head, _, leaf = key.partition(".")
        for layer, path in ((Layer.APP, self.app_json), (Layer.PROJECT, self.project_json)):
            if layer in said:
                self.write(path, {head: {leaf: said[layer]}} if leaf else {head: said[layer]})
        settings = self.load()
        if Layer.POSTPROCESS_FILE in said:
            settings = settings.with_postprocess_file(self.home / "post.json", {key: said[Layer.POSTPROCESS_FILE]})
        if Layer.REQUEST in said:
            settings = settings.with_request({key: said[Layer.REQUEST]}, root=self.home)
        return settings


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)
