"""The Lanczos upscaler against its definition in float64, at borders and under alpha, and the same bytes everywhere."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import lanczos
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kroma_nb.images import enlarge
from kroma_nb.images.enlarging import _WEIGHT_UNIT, _Desk, _upright
from kroma_nb.providers.ink import InkPainter
from kroma_nb.providers.lanczos import LanczosUpscaler

SCALES = [2, 3, 4]

sides = st.integers(1, 40)
shapes = st.tuples(sides, sides, st.sampled_from([(), (3,), (4,)])).map(lambda told: (*told[:2], *told[2]))
# The ends of the scale as often as all else: beside each other they ring most.
pixels = st.sampled_from([0, 1, 127, 128, 254, 255]) | st.integers(0, 255)
pictures = shapes.flatmap(lambda shape: arrays(np.uint8, shape, elements=pixels))
scales = st.sampled_from(SCALES)

# The names that numpy 2.1 to 2.3 have, and those since; each warns of the others' and goes on.
PLAINER_NUMPY = "AVX2 FMA3 AVX512F AVX512_SKX X86_V3 X86_V4 AVX512_ICL AVX512_SPR"

ELSEWHERE = """
import sys
import cv2, numpy as np
from kroma_nb.providers.lanczos import LanczosUpscaler
cv2.setNumThreads(int(sys.argv[3]))
with np.load(sys.argv[1]) as given:
    made = [LanczosUpscaler().enlarge(given[name], scale) for name in given.files for scale in (2, 3, 4)]
np.savez(sys.argv[2], *made)
"""


def noise(*shape: int, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def cut_out(height: int = 60, width: int = 90) -> np.ndarray:
    """A disc with a soft edge on nothing; hidden pixels hold a loud green."""
    rows, columns = np.mgrid[:height, :width]
    edge = 20 - np.hypot(rows - height / 2, columns - width / 2)
    alpha = np.clip(edge * 60 + 128, 0, 255).astype(np.uint8)
    colors = np.where(alpha[..., None] > 0, noise(height, width, 3) // 4 + (150, 30, 90), (0, 255, 0))
    return np.dstack([colors.astype(np.uint8), alpha])


@settings(max_examples=80, deadline=None)
@given(pictures, scales)
@example(np.array([[200]], np.uint8), 4)
@example(noise(1, 37), 3)
@example(noise(37, 1, 3), 2)
@example(noise(2, 3), 4)
@example(noise(5, 5, 4), 2)
def test_every_picture_is_within_one_level_of_the_definition(picture: np.ndarray, scale: int) -> None:
    result = LanczosUpscaler().enlarge(picture, scale)

    assert result.dtype == np.uint8
    assert lanczos.farthest(result, lanczos.enlarged(picture, scale)) <= 1


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", ["photograph", "ink page", "noise", "two levels", "cut-out", "faint"])
def test_whole_pictures_are_within_one_level_and_nearly_everywhere_equal(photograph, brief, kind, scale) -> None:
    picture = {
        "photograph": lambda: photograph("pilot", 120),
        "ink page": lambda: InkPainter().paint(photograph("room", 120), brief(120, 180)).picture,
        "noise": lambda: noise(150, 170, 3),
        "two levels": lambda: noise(150, 170) // 128 * np.uint8(255),
        "cut-out": cut_out,
        # Where alpha is about one level, colours are ratios of small sums.
        "faint": lambda: np.dstack([noise(90, 140, 3), noise(90, 140, seed=6) % 3]),
    }[kind]()

    result = LanczosUpscaler().enlarge(picture, scale)

    expected = lanczos.enlarged(picture, scale)
    assert lanczos.farthest(result, expected) <= 1
    assert (result != expected).mean() < (0.005 if kind == "faint" else 0.0003)


def test_halves_are_rounded_upwards_and_the_rest_is_clamped() -> None:
    # Pictures hardly ever give a half: here matrices that only copy give some.
    sums = [0.5, 1.5, 2.5, 254.5, 127.5 - 2.0**-42, -0.5, -3.0, 255.5, 300.0]
    desk = _Desk.of(noise(8, 8, 1), 2, (64, 64))
    desk.levels[0, 0, :9] = sums
    right, down = np.eye(14, 16)[None], np.eye(16, 14)[None]

    desk.make(right, down)

    assert desk.rounded[0, 0, :9].tolist() == [1, 2, 3, 255, 127, 0, 0, 255, 255]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_flat_picture_stays_flat_up_to_its_borders(scale: int, level: int) -> None:
    for shape in [(1, 1), (1, 9), (3, 2, 3), (70, 50), (20, 30, 3)]:
        assert (enlarge(np.full(shape, level, np.uint8), scale) == level).all()


@pytest.mark.parametrize("scale", SCALES)
def test_turning_and_mirroring_a_picture_turns_and_mirrors_the_answer(scale: int) -> None:
    picture = noise(43, 61)

    result = enlarge(picture, scale)

    np.testing.assert_array_equal(enlarge(picture[::-1], scale), result[::-1])
    np.testing.assert_array_equal(enlarge(picture[:, ::-1], scale), result[:, ::-1])
    assert np.abs(enlarge(picture.T, scale).astype(int) - result.T).max() <= 1


def test_at_scale_three_every_source_pixel_is_in_the_answer() -> None:
    picture = noise(40, 50, 3)

    np.testing.assert_array_equal(enlarge(picture, 3)[1::3, 1::3], picture)


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, (9, 12, 4), elements=pixels), arrays(np.uint8, (9, 12, 3), elements=pixels), scales)
def test_the_colours_of_hidden_pixels_make_no_difference(picture: np.ndarray, others: np.ndarray, scale: int) -> None:
    picture[2:7, 3:8, 3] = 0
    repainted = np.where(picture[..., 3:] == 0, np.dstack([others, picture[..., 3]]), picture)

    result = enlarge(picture, scale)

    np.testing.assert_array_equal(enlarge(repainted, scale), result)
    assert (result[result[..., 3] == 0] == 0).all()


@pytest.mark.parametrize("scale", SCALES)
def test_a_flat_figure_keeps_its_colour_where_its_edge_is_soft(scale: int) -> None:
    figure = cut_out()
    figure[figure[..., 3] > 0, :3] = (150, 30, 90)

    result = enlarge(figure, scale)

    soft = (result[..., 3] > 0) & (result[..., 3] < 255)
    assert soft.sum() > 300
    assert np.abs(result[result[..., 3] > 0, :3].astype(int) - (150, 30, 90)).max() == 0


def test_an_opaque_picture_looks_as_it_does_without_alpha() -> None:
    picture = noise(50, 60, 3)

    result = enlarge(np.dstack([picture, np.full((50, 60), 255, np.uint8)]), 2)

    np.testing.assert_array_equal(result[..., :3], enlarge(picture, 2))
    assert (result[..., 3] == 255).all()


@pytest.mark.parametrize("shape", [(50, 61), (50, 61, 3), (50, 61, 4)])
@pytest.mark.parametrize("tile", [(1, 1), (16, 2000), (2000, 40), (97, 131)])
def test_tiles_of_any_size_give_the_same_bytes(shape: tuple[int, ...], tile: tuple[int, int]) -> None:
    picture = noise(*shape)

    for scale in SCALES:
        np.testing.assert_array_equal(enlarge(picture, scale, tile=tile), enlarge(picture, scale))


def test_a_picture_of_any_order_in_memory_gives_the_same_bytes() -> None:
    picture = noise(30, 40, 3)

    np.testing.assert_array_equal(enlarge(np.asfortranarray(picture), 2), enlarge(picture, 2))
    np.testing.assert_array_equal(enlarge(picture[::2, ::3], 2), enlarge(picture[::2, ::3].copy(), 2))


@pytest.mark.parametrize(
    "variables",
    [
        {"OPENCV_CPU_DISABLE": "AVX2,FMA3", "OPENCV_IPP": "disabled"},
        {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": PLAINER_NUMPY},
        {"OPENBLAS_NUM_THREADS": "3", "PYTHONHASHSEED": "4711"},
    ],
    ids=["OpenCV without AVX2", "BLAS and numpy without AVX", "three threads"],
)
def test_other_processors_and_threads_give_the_same_bytes(tmp_path, variables) -> None:
    given_, made = tmp_path / "given.npz", tmp_path / "made.npz"
    work = [noise(300, 260), noise(120, 140, 3), cut_out()]
    np.savez(given_, *work)
    here = [LanczosUpscaler().enlarge(picture, scale) for picture in work for scale in SCALES]

    command = [sys.executable, "-W", "ignore", "-c", ELSEWHERE, str(given_), str(made), "3"]
    subprocess.run(command, check=True, env={**os.environ, **variables})

    with np.load(made) as pictures_:
        for name, expected in zip(pictures_.files, here, strict=True):
            np.testing.assert_array_equal(pictures_[name], expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sums_are_those_of_whole_numbers_so_that_no_order_of_adding_matters(channels: int) -> None:
    # Both ends of the scale on random places make large sums; the odd level fills the last bit.
    picture = noise(8, 8, channels) // 128 * np.uint8(255)
    picture[..., -1] |= 1
    desk = _Desk.of(picture, 4, (64, 64))
    weights = _upright(4, 0, 8)
    desk.window(picture, 0, 0)
    desk.make(weights.T[None], weights[None])

    whole = (weights * _WEIGHT_UNIT).astype(np.int64).astype(object)
    kept = desk.levels.astype(np.int64).astype(object)
    wide = np.array([plane @ whole.T for plane in kept])
    if channels == 4:
        assert (desk.wide * 2.0**12 % 1 == 0).all()
        assert np.abs(desk.wide * _WEIGHT_UNIT - wide.astype(float)).max() <= _WEIGHT_UNIT / 2**13
        return
    large = np.array([whole @ plane for plane in wide])
    assert (desk.wide * _WEIGHT_UNIT == wide).all()
    assert (desk.large * _WEIGHT_UNIT**2 == large).all()


def test_threads_in_one_process_give_the_bytes_of_one() -> None:
    work = [noise(90, 80, 3, seed=seed) for seed in range(6)]

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda picture: LanczosUpscaler().enlarge(picture, 2), work))

    for picture, result in zip(work, found, strict=True):
        np.testing.assert_array_equal(result, enlarge(picture, 2))


def test_weights_are_far_from_where_their_rounding_could_turn() -> None:
    # The bytes depend on weights rounded to 2**-21; a sine that is off in its last bits must not move one.
    for scale in SCALES:
        for length in range(1, 12):
            exact = lanczos.weights(length, scale) * _WEIGHT_UNIT
            assert np.abs(exact % 1 - 0.5).min() > 1e-6


def test_the_source_is_left_as_it_is_and_never_shared() -> None:
    picture = cut_out()
    before = picture.copy()

    result = enlarge(picture, 2)

    np.testing.assert_array_equal(picture, before)
    assert not np.shares_memory(result, picture)
    assert result.flags.c_contiguous


def test_a_large_picture_takes_little_memory_beside_its_answer(tmp_path) -> None:
    probe = """
import resource, numpy as np
from kroma_nb.images import enlarge
from kroma_nb.images.enlarging import _WEIGHT_UNIT, _Desk, _upright
page = np.full((3000, 4000), 255, np.uint8)
enlarge(page[:100, :100], 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
enlarge(page, 2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    answer_kb = 4 * 3000 * 4000 / 1024
    assert int(ran.stdout) < answer_kb + 12_000


@pytest.mark.parametrize("scale", [0, 1, 5, -2, 2.5, 2.0, True])
def test_a_scale_beyond_the_limits_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="2, 3 or 4"):
        LanczosUpscaler().enlarge(noise(4, 4), scale)


@pytest.mark.parametrize("picture", [np.zeros((2, 2), np.float32), np.zeros((0, 4), np.uint8), [[1]], None])
def test_what_is_no_picture_is_refused(picture) -> None:
    with pytest.raises(ValueError, match="uint8"):
        LanczosUpscaler().enlarge(picture, 2)


def test_the_upscaler_pickles_and_names_itself() -> None:
    upscaler = pickle.loads(pickle.dumps(LanczosUpscaler()))

    assert upscaler == LanczosUpscaler()
    assert hash(upscaler) == hash(LanczosUpscaler())
    assert (upscaler.backend, upscaler.version, dict(upscaler.settings)) == ("lanczos", "1", {})
    assert upscaler.takes_alpha
