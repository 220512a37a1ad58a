"""From a plan to its backends: what is there is opened, what is not is refused with what to install."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from stand_ins import Install

from kroma_nb.errors import BackendUnavailable, PassUnavailable, ProviderFailed
from kroma_nb.model.backends import BackendOptions, NcnnOptions, PythonOptions
from kroma_nb.model.postprocess import CutoutBackend, CutoutPlan, PostprocessPlan, UpscaleBackend, UpscalePlan
from kroma_nb.providers import onnx, rembg
from kroma_nb.providers.installed import runtime_version
from kroma_nb.providers.realesrgan import NCNN_SCALES, PYTHON_SCALES, NcnnProgram, finding
from kroma_nb.workbench.backends import examine_backends, finishers_for


def enlarging(backend: UpscaleBackend, scale: int = 2) -> PostprocessPlan:
    return PostprocessPlan(upscale=UpscalePlan(backend=backend, scale=scale))


def test_a_plan_without_these_passes_needs_no_backend() -> None:
    finishers = finishers_for(PostprocessPlan())

    assert (finishers.segmenters, finishers.upscaler) == ((), None)


def test_the_upscaler_of_a_plan_is_opened_as_the_options_say(program: Install) -> None:
    options = BackendOptions(ncnn=NcnnOptions(program=program(), tile_px=64, timeout_s=90.0))

    upscaler = finishers_for(enlarging(UpscaleBackend.NCNN), options).upscaler

    assert isinstance(upscaler, NcnnProgram)
    assert (upscaler.backend, upscaler.tile_px, upscaler.timeout_s) == ("ncnn", 64, 90.0)


def test_a_scale_that_a_model_cannot_reach_is_refused_before_anything_is_made(script: Install) -> None:
    options = BackendOptions(python=PythonOptions(script=script(), model="RealESRGAN_x2plus"))

    with pytest.raises(BackendUnavailable, match="RealESRGAN_x2plus enlarges 2 times at most, not 4 times"):
        finishers_for(enlarging(UpscaleBackend.PYTHON, 4), options)


def test_a_backend_that_is_not_there_is_refused_like_a_pass_that_is_not_there() -> None:
    with pytest.raises(PassUnavailable, match="upscale: the backend python cannot work here: no script is named"):
        finishers_for(enlarging(UpscaleBackend.PYTHON))


@pytest.mark.skipif(runtime_version() is not None, reason="onnxruntime is installed here")
def test_a_backend_that_is_not_here_keeps_its_place_and_says_what_to_install() -> None:
    plan = PostprocessPlan(bg_remove=CutoutPlan(backends=(CutoutBackend.ONNX, CutoutBackend.GRABCUT)))

    absent, there = finishers_for(plan).segmenters

    assert (absent.backend, there.backend) == ("onnx", "grabcut")
    with pytest.raises(ProviderFailed, match=r"pip install 'kroma-nb\[onnx\]'"):
        absent.mask(np.zeros((2, 2, 3), np.uint8))


def test_paid_services_alone_are_refused_and_never_asked() -> None:
    plan = PostprocessPlan(bg_remove=CutoutPlan(backends=(CutoutBackend.PHOTOROOM, CutoutBackend.REMOVEBG)))

    with pytest.raises(BackendUnavailable, match=r"paid service.*name grabcut, onnx or rembg"):
        finishers_for(plan)


def test_every_local_backend_has_a_row_that_says_what_to_do(program: Install, tmp_path: Path) -> None:
    options = BackendOptions(
        ncnn=NcnnOptions(program=program()), python=PythonOptions(script=tmp_path / "inference_realesrgan.py")
    )

    rows = {row.backend: row for row in examine_backends(options)}

    assert list(rows) == ["grabcut", "onnx", "rembg", "lanczos", "ncnn", "python"]
    assert rows["ncnn"].there
    assert "realesrgan-ncnn-vulkan" in rows["ncnn"].found
    assert not rows["python"].there
    assert "there is no such file" in rows["python"].found
    if runtime_version() is None:
        assert "pip install 'kroma-nb[onnx]'" in rows["onnx"].found
        assert "pip install 'kroma-nb[rembg]'" in rows["rembg"].found


@pytest.mark.parametrize("wrong", [{"tile_px": -1}, {"timeout_s": 0.0}, {"gpu": -1}, {"modle": "x"}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NcnnOptions.model_validate(wrong)


def test_the_page_names_every_command_model_and_licence() -> None:
    page = (Path(__file__).parents[2] / "docs" / "backends.md").read_text()

    assert [
        line for line in (onnx.INSTALL, rembg.INSTALL, finding.INSTALL, finding.LIBRARIES) if line not in page
    ] == []
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for name, licence in rembg.LICENCES.items():
        assert any(f"`{name}`" in row and f"| {licence} |" in row for row in rows), name
    for backend, models in (("ncnn", NCNN_SCALES), ("python", PYTHON_SCALES)):
        for name, scales in models.items():
            told = f"| {', '.join(map(str, scales))} |"
            assert any(row.startswith(f"| `{backend}` |") and f"`{name}`" in row and told in row for row in rows), name
