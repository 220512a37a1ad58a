"""Segmenters that ask local models: what holds without onnxruntime and rembg."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tiny_models import write_model

from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import BackendUnavailable, ContentDamaged, FileMissing, PathRefused, ProviderFailed
from kroma_nb.model.backends import OnnxOptions, RembgOptions
from kroma_nb.providers.installed import installed_version, runtime_version
from kroma_nb.providers.onnx import Onnx, find_onnx, normalised, stretched
from kroma_nb.providers.pinned import _sha256_of, pin
from kroma_nb.providers.rembg import LICENCES, Rembg, find_rembg, model_places
from kroma_nb.providers.sessions import session_of

bare = pytest.mark.skipif(runtime_version() is not None, reason="onnxruntime is installed here")


def test_a_picture_is_normalised_as_the_authors_of_u2net_publish_it() -> None:
    rng = np.random.default_rng(5)
    picture = rng.integers(0, 240, (6, 5, 3), dtype=np.uint8)

    given = normalised(picture, (5, 6))

    # data_loader.py, ToTensorLab with flag 0.
    levels = picture / picture.max()
    expected = (levels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert given.shape == (1, 3, 6, 5)
    assert given.dtype == np.float32
    assert np.allclose(given[0].transpose(1, 2, 0), expected, atol=1e-6)


def test_a_black_picture_is_not_divided_by_zero() -> None:
    assert np.isfinite(normalised(np.zeros((4, 4, 3), np.uint8), (2, 2))).all()


def test_a_strip_is_scaled_by_area_where_it_shrinks() -> None:
    # Every second column is white: sampled, all of it could be white or black.
    strip = np.zeros((2, 640, 3), np.uint8)
    strip[:, ::2] = 255

    small = normalised(strip, (320, 320))

    assert float(small.max() - small.min()) < 1.0


@pytest.mark.parametrize("answer", [np.full((1, 1, 4, 4), 0.25), np.full((1, 1, 4, 4), np.nan), np.eye(4) * 0.003])
def test_an_answer_that_tells_nothing_apart_is_no_figure(answer: np.ndarray) -> None:
    with pytest.raises(ProviderFailed, match="found no figure") as refused:
        stretched(answer.astype(np.float32), (8, 8))

    assert refused.value.error_code == "no_figure"


def test_an_answer_is_stretched_between_its_least_and_greatest_value() -> None:
    answer = np.array([[[[0.25, 0.5], [0.5, 0.75]]]], np.float32)

    assert stretched(answer, (2, 2)).tolist() == [[0, 128], [128, 255]]


def test_a_mask_grows_without_steps() -> None:
    answer = np.zeros((1, 1, 8, 8), np.float32)
    answer[..., 4:] = 1.0

    mask = stretched(answer, (128, 128)).astype(int)

    steps = np.abs(np.diff(mask[64]))
    assert mask[64, 0] == 0
    assert mask[64, -1] == 255
    assert 0 < steps.max() < 32


@pytest.mark.parametrize("shape", [(1, 2, 4, 4), (4,), (1, 1, 0, 4)])
def test_an_answer_of_another_shape_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ProviderFailed, match="first answer has shape"):
        stretched(np.zeros(shape, np.float32), (4, 4))


@bare
def test_without_onnxruntime_the_way_out_is_said(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny.onnx")

    with pytest.raises(BackendUnavailable, match=r"onnxruntime is not installed; pip install 'kroma-nb\[onnx\]'"):
        find_onnx(OnnxOptions(model=model))
    with pytest.raises(ProviderFailed, match=r"onnxruntime cannot be loaded.*pip install 'kroma-nb\[onnx\]'"):
        Onnx(pin(model, role="a test")).mask(np.zeros((4, 4, 3), np.uint8))


@bare
def test_rembg_without_onnxruntime_does_not_end_the_process(tmp_path: Path) -> None:
    (tmp_path / "rembg.py").write_text("import sys; sys.exit(1)")
    asks = "from kroma_nb.model.backends import RembgOptions\nfrom kroma_nb.providers.rembg import find_rembg\n"
    asks += "try: find_rembg(RembgOptions(model='u2net'))\nexcept Exception as error: print(error)"

    said = subprocess.run(
        [sys.executable, "-c", asks],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )

    assert "onnxruntime is not installed; pip install 'kroma-nb[rembg]'" in said.stdout


@pytest.mark.skipif(installed_version("rembg") is not None, reason="rembg is installed here")
def test_a_segmenter_without_its_package_fails_where_it_is_used(tmp_path: Path) -> None:
    segmenter = Rembg("u2net", pin(write_model(tmp_path / "u2net.onnx"), role="a test"))

    with pytest.raises(ProviderFailed, match=r"not installed; pip install 'kroma-nb\[rembg\]'"):
        segmenter.mask(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(BackendUnavailable, match="not installed"):
        find_rembg(RembgOptions(model="u2net"))


def test_only_models_with_a_free_licence_may_be_named() -> None:
    assert set(LICENCES.values()) == {"Apache-2.0", "MIT"}
    assert not {name for name in LICENCES if "bria" in name or "sam" in name}


def test_rembg_looks_for_models_where_rembg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("U2NET_HOME", "REMBG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ink")
    assert [str(place) for place in model_places("u2net")] == [
        "/home/ink/.rembg/models/u2net/u2net.onnx",
        "/home/ink/.u2net/u2net.onnx",
    ]

    monkeypatch.setenv("U2NET_HOME", "/models")
    assert [str(place) for place in model_places("u2net")] == ["/models/models/u2net/u2net.onnx", "/models/u2net.onnx"]


def test_a_segmenter_is_frozen_and_survives_pickling(tmp_path: Path) -> None:
    model = pin(write_model(tmp_path / "u2net.onnx"), role="a test")

    for segmenter in (Onnx(model), Rembg("u2net", model)):
        again = pickle.loads(pickle.dumps(segmenter))

        assert again == segmenter
        assert model.sha256[:16] in again.version
        assert again.settings["model_sha256"] == model.sha256
        with pytest.raises(AttributeError):
            segmenter.model = model  # type: ignore[misc]


def test_a_segmenter_takes_three_channels_only(tmp_path: Path) -> None:
    model = pin(write_model(tmp_path / "u2net.onnx"), role="a test")

    for segmenter in (Onnx(model), Rembg("u2net", model)):
        with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
            segmenter.mask(np.zeros((4, 4), np.uint8))


def test_a_file_is_read_as_it_was_chosen_or_not_at_all(tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.onnx", b"first")
    pinned = pin(path, role="a test")
    assert pinned.read("onnx") == b"first"
    pinned.check("onnx")

    path.write_bytes(b"other")

    for use in (pinned.read, pinned.check):
        with pytest.raises(
            ProviderFailed, match=r"a.onnx has changed: it holds .*… where .*… was chosen; bring the file"
        ):
            use("onnx")
    path.unlink()
    for use in (pinned.read, pinned.check):
        with pytest.raises(ProviderFailed, match=r"a.onnx cannot be read: No such file"):
            use("onnx")


def test_a_file_that_nobody_has_touched_is_hashed_once() -> None:
    # Old enough: a file that was written within two seconds is read each time.
    pinned = pin(Path(__file__), role="a test")
    before = _sha256_of.cache_info()

    for _ in range(3):
        pinned.check("onnx")

    after = _sha256_of.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 2)


def test_a_file_must_hold_the_hash_that_was_named(tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.onnx", b"first")

    assert pin(path, role="a test", sha256=sha256_bytes(b"first").upper()).path == path
    with pytest.raises(ContentDamaged, match=r"a.onnx holds"):
        pin(path, role="a test", sha256=sha256_bytes(b"other"))


def test_a_link_is_resolved_once_and_held_inside_its_roots(tmp_path: Path) -> None:
    real = write_model(tmp_path / "models" / "a.onnx", b"first")
    (tmp_path / "link.onnx").symlink_to(real)
    (tmp_path / "dangling.onnx").symlink_to(tmp_path / "nothing")
    (tmp_path / "elsewhere").mkdir()

    assert pin(tmp_path / "link.onnx", role="a test", roots=[tmp_path / "models"]).path == real
    with pytest.raises(PathRefused, match=r"leads out of .*elsewhere"):
        pin(tmp_path / "link.onnx", role="a test", roots=[tmp_path / "elsewhere"])
    with pytest.raises(FileMissing, match=r"dangling.onnx: it leads to no file"):
        pin(tmp_path / "dangling.onnx", role="a test")
    with pytest.raises(FileMissing, match="no regular file"):
        pin(tmp_path / "models", role="a test")


def test_a_session_that_cannot_be_opened_is_tried_again() -> None:
    tries = []

    def start() -> object:
        tries.append(1)
        if len(tries) == 1:
            raise ProviderFailed("onnx", "not yet")
        return object()

    with pytest.raises(ProviderFailed):
        session_of("test again", start)
    assert session_of("test again", start) is session_of("test again", start)
    assert len(tries) == 2


def test_who_asks_for_another_model_does_not_wait_for_one_that_opens_slowly() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(10)
        return "slow"

    with ThreadPoolExecutor(3) as pool:
        first, second = (pool.submit(session_of, "test slow", slow) for _ in range(2))
        assert begun.wait(10)
        quick = pool.submit(session_of, "test quick", lambda: "quick").result(10)
        waited = not first.done() and not second.done()
        go_on.set()

        assert (quick, waited, first.result(10), second.result(10)) == ("quick", True, "slow", "slow")
