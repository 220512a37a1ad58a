"""The workspace's own file about the backends that finish pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from kroma_nb.errors import SettingsInvalid
from kroma_nb.model.backends import BackendOptions
from kroma_nb.model.plan import PlanRequest, PostprocessRequest
from kroma_nb.model.postprocess import CutoutBackend
from kroma_nb.planning import backend_options_of
from kroma_nb.planning.postprocess import NO_POSTPROCESS, plan_passes
from kroma_nb.settings import Settings


def written(home: Path, text: str) -> Path:
    (home / "config").mkdir()
    (home / "config" / "backends.toml").write_text(text)
    return home


def test_a_workspace_without_the_file_has_the_defaults(tmp_path) -> None:
    assert backend_options_of(tmp_path) == BackendOptions()


def test_paths_start_at_the_workspace(tmp_path) -> None:
    home = written(tmp_path, '[onnx]\nmodel = "models/u2net.onnx"\n[ncnn]\nprogram = "/opt/ncnn"\ntimeout_s = 90.5\n')

    options = backend_options_of(home)

    assert options.onnx.model == home / "models" / "u2net.onnx"
    assert (options.ncnn.program, options.ncnn.timeout_s) == (Path("/opt/ncnn"), 90.5)
    assert options.python == BackendOptions().python


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[onnx]\nmodell = "a"\n', ("onnx.modell", "model")),
        ("[ncnn]\ntile_px = -1\n", ("ncnn.tile_px",)),
        ("[ncnn\n", ("TOML",)),
        ('[onnx]\nmodel = "~somebody-else/u2net.onnx"\n', ("onnx.model", "in full")),
        ("[nccn]\n", ("nccn", "ncnn")),
    ],
)
def test_a_wrong_entry_is_one_clear_error_that_names_file_and_field(tmp_path, text, words) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        backend_options_of(written(tmp_path, text))

    assert all(word in str(raised.value) for word in ("backends.toml", *words))


@pytest.mark.parametrize(
    ("named", "model", "order"),
    [
        (None, None, ["grabcut"]),
        (None, "u2net.onnx", ["onnx", "grabcut"]),
        ((CutoutBackend.GRABCUT,), "u2net.onnx", ["grabcut"]),
    ],
)
def test_a_model_of_ones_own_is_asked_first_unless_an_order_is_named(tmp_path, named, model, order) -> None:
    request = PlanRequest(
        project="noir", root=tmp_path, postprocess=PostprocessRequest(bg_remove=True, bg_remove_backends=named)
    )
    options = BackendOptions.model_validate({"onnx": {"model": tmp_path / model}} if model else {})

    passes = plan_passes(NO_POSTPROCESS, Settings.built_in().with_request(request), options=options)

    assert [backend.value for backend in passes.bg_remove.backends] == order
