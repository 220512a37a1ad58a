"""The embedded segmenter: the same mask everywhere, soft hair, help from a person, and a clear word where it fails."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import cv2
import numpy as np
import pytest
from figures import SCENES, Composite, compose, overlap, scene

from kroma_nb.errors import ProviderFailed
from kroma_nb.images import as_rgb, encode_png, load, resize
from kroma_nb.model.postprocess import CutoutBackend
from kroma_nb.providers.grabcut import Box, GrabCut, Scribble

SIZE = (256, 384)

ELSEWHERE = """
import sys
import cv2
import numpy as np
from kroma_nb.providers.grabcut import GrabCut
cv2.setNumThreads(1)
np.save(sys.argv[2], GrabCut().mask(np.load(sys.argv[1])))
"""


def sky(size=SIZE):
    """A ground that changes slowly, with grain."""
    tones = np.linspace((70, 120, 200), (190, 210, 230), size[1])[:, None]
    grain = np.random.default_rng(1).normal(0, 2, (size[1], size[0], 1))
    return (tones + grain).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def one() -> Composite:
    return compose(sky(), [(0.5, 0.52, 0.8)], 3)


@pytest.fixture(scope="module")
def palace() -> Composite:
    """Two figures before the demo's palace, off the middle."""
    return compose(scene("square", SIZE), [(0.26, 0.54, 0.66), (0.68, 0.6, 0.6)], 4)


def asked(segmenter, picture):
    """Give the mask, or the failure that was raised."""
    try:
        return segmenter.mask(picture)
    except ProviderFailed as failure:
        return failure


def digest(mask) -> str:
    return hashlib.sha256(mask.tobytes()).hexdigest()


def test_a_mask_is_the_same_in_every_thread_whatever_was_drawn_from_its_generator(palace) -> None:
    small = np.ascontiguousarray(palace.picture[::2, ::2])

    def cut(index: int) -> str:
        # OpenCV keeps one generator a thread: each is brought to another state first.
        cv2.setRNGSeed(index)
        cv2.randu(np.empty(97 * index + 1, np.float32), 0, 1)
        return digest(GrabCut().mask(small))

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(cut, range(4)))

    assert found == {digest(GrabCut().mask(small))}


def test_a_mask_is_the_same_in_another_process_and_with_other_threads_of_opencv(palace, tmp_path) -> None:
    np.save(tmp_path / "picture.npy", palace.picture)
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "picture.npy"), str(tmp_path / "mask.npy")]
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        here = GrabCut().mask(palace.picture)
    finally:
        cv2.setNumThreads(before)

    subprocess.run(command, check=True)

    assert np.array_equal(np.load(tmp_path / "mask.npy"), here)


def test_it_is_a_small_value_that_travels_and_names_what_a_mask_depends_on(tmp_path) -> None:
    path = tmp_path / "strokes.png"
    path.write_bytes(encode_png(np.full((4, 4), 255, np.uint8)))
    segmenter = GrabCut(Box(0.1, 0.2, 0.9, 1.0), Scribble.of(path))

    travelled = pickle.loads(pickle.dumps(segmenter))

    assert travelled == segmenter
    assert hash(travelled) == hash(segmenter)
    assert segmenter.backend == CutoutBackend.GRABCUT
    assert cv2.__version__ in segmenter.version
    settings = json.loads(json.dumps(segmenter.settings))
    assert settings == {"box": [0.1, 0.2, 0.9, 1.0], "scribble_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert GrabCut().settings == {"box": None, "scribble_sha256": None}


def test_the_picture_is_left_as_it_is(one) -> None:
    before = one.picture.copy()

    mask = GrabCut().mask(one.picture)

    assert np.array_equal(one.picture, before)
    assert (mask.dtype, mask.shape) == (np.uint8, one.picture.shape[:2])


def test_figures_are_found_without_help_where_they_stand_out(one) -> None:
    assert overlap(GrabCut().mask(one.picture), one.alpha) > 0.9


@pytest.mark.parametrize("name", ["pilot", "square"])
def test_a_photograph_gets_the_same_figure_at_every_size(name) -> None:
    stored = as_rgb(load(SCENES / f"{name}.jpg"))

    # As a run does it: the scene is brought to the size of its page.
    masks = [GrabCut().mask(as_rgb(resize(stored, size))) for size in ((400, 600), (768, 1152), (1024, 1536))]

    found = [cv2.resize(mask, (400, 600), interpolation=cv2.INTER_AREA) for mask in masks]
    assert min(overlap(one, other / np.float32(255)) for one, other in combinations(found, 2)) > 0.95


def test_the_pilot_is_whole_and_the_wall_behind_her_is_gone() -> None:
    # Places in the stored photograph, as fractions: hair, face, collar, chest, the helmet's dark side.
    figure = [(0.5, 0.06), (0.5, 0.2), (0.5, 0.4), (0.25, 0.6), (0.85, 0.8)]
    ground = [(0.2, 0.1), (0.2, 0.3), (0.8, 0.35), (0.1, 0.2)]

    mask = GrabCut().mask(scene("pilot", (768, 1152)))

    assert [mask[round(y * 1152), round(x * 768)] for x, y in figure] == [255] * 5
    assert [mask[round(y * 1152), round(x * 768)] for x, y in ground] == [0] * 4


def test_a_box_finds_two_figures_before_a_building(palace) -> None:
    assert overlap(GrabCut(Box(*palace.box())).mask(palace.picture), palace.alpha) > 0.6


def test_loose_hair_keeps_soft_alpha() -> None:
    made = compose(sky((512, 768)), [(0.5, 0.52, 0.8)], 3)
    bare = compose(sky((512, 768)), [(0.5, 0.52, 0.8)], 3, hair=False)
    hair = (made.alpha - bare.alpha > 0.05) & (made.alpha < 0.95)

    share = GrabCut().mask(made.picture) / 255

    found = share[hair]
    assert ((found > 0.05) & (found < 0.95)).mean() > 0.5
    assert np.abs(found - made.alpha[hair]).mean() < 0.75 * np.abs((found > 0.5) - made.alpha[hair]).mean()
    assert np.corrcoef(found, made.alpha[hair])[0, 1] > 0.6


def test_a_drawn_figure_on_a_white_page_is_cut_along_its_line_with_the_paper_inside() -> None:
    page = np.full((384, 256), 255, np.uint8)
    inside = np.zeros_like(page)
    cv2.ellipse(inside, (128, 220), (70, 130), 0, 0, 360, 255, -1)
    cv2.ellipse(page, (128, 220), (70, 130), 0, 0, 360, 0, 4, cv2.LINE_AA)
    for row in range(120, 330, 9):
        half = int(60 * np.sqrt(max(0.0, 1 - ((row - 220) / 125) ** 2)))
        cv2.line(page, (128 - half, row), (128 + half // 3, row + 5), 0, 2, cv2.LINE_AA)

    mask = GrabCut().mask(np.dstack([page] * 3))

    assert overlap(mask, inside / np.float32(255)) > 0.9
    assert mask[:20].max() == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_colour_holds_no_figure(level) -> None:
    with pytest.raises(ProviderFailed, match="grabcut: found no figure: the picture has one colour"):
        GrabCut().mask(np.full((384, 256, 3), level, np.uint8))


@pytest.mark.parametrize("kind", ["grain", "sky", "one dot"])
def test_a_picture_with_nothing_in_it_holds_no_figure(kind) -> None:
    grain = np.random.default_rng(2).normal(128, 12, (384, 256, 3)).clip(0, 255).astype(np.uint8)
    dotted = np.full((384, 256, 3), 200, np.uint8)
    dotted[190:193, 120:123] = 0

    with pytest.raises(ProviderFailed, match="found no figure"):
        GrabCut().mask({"grain": grain, "sky": sky(), "one dot": dotted}[kind])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 40), (15, 400), (16, 16), (17, 300), (400, 16), (61, 67)])
@pytest.mark.parametrize("box", [None, Box(0.25, 0.2, 0.75, 0.9), Box(0, 0, 1, 1)])
def test_odd_sizes_give_a_mask_or_a_clear_failure(height, width, box) -> None:
    picture = np.random.default_rng(height).integers(0, 90, (height, width, 3)).astype(np.uint8)
    picture[height // 4 : height, width // 3 : 2 * width // 3 + 1] += 140

    answer = asked(GrabCut(box), picture)

    if isinstance(answer, ProviderFailed):
        assert answer.provider == "grabcut"
        assert "found no" in answer.cause
    else:
        assert (answer.dtype, answer.shape) == (np.uint8, (height, width))
        assert min(height, width) >= 16


@pytest.mark.parametrize(
    "box",
    [(0.5, 0, 0.5, 1), (0.6, 0, 0.4, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.2), (0, 0, 0.01, 1), (float("nan"), 0, 1, 1)],
)
def test_a_box_outside_the_picture_or_without_room_is_refused(box) -> None:
    with pytest.raises(ValueError, match="fractions"):
        Box(*box)


def drawn(path, *strokes, size=SIZE):
    """Write a scribble: each stroke is a level and the ends of a line, as fractions."""
    canvas = np.zeros((size[1], size[0], 4), np.uint8)
    for level, start, end in strokes:
        ends = [(round(x * size[0]), round(y * size[1])) for x, y in (start, end)]
        cv2.line(canvas, *ends, (level, level, level, 255), 5)
    path.write_bytes(encode_png(canvas))
    return Scribble.of(path)


@pytest.fixture
def twins() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two blocks of one colour before the sky: the picture, the left block, the right one."""
    picture = sky()
    left, right = (np.zeros(picture.shape[:2], bool) for _ in range(2))
    left[140:300, 50:100] = right[140:300, 160:210] = True
    picture[left | right] = (150, 60, 40)
    return picture, left, right


def test_a_dark_stroke_takes_away_and_a_light_one_brings_back(twins, tmp_path) -> None:
    picture, left, right = twins
    away = drawn(tmp_path / "away.png", (0, (0.72, 0.4), (0.72, 0.75)))
    back = drawn(tmp_path / "back.png", (255, (0.29, 0.4), (0.29, 0.75)), size=(512, 768))

    both = GrabCut().mask(picture)
    without = GrabCut(scribble=away).mask(picture)
    kept = GrabCut(Box(0.5, 0.2, 0.95, 0.9), back).mask(picture)

    assert both[left].mean() > 240
    assert both[right].mean() > 240
    assert without[right].mean() < both[right].mean() - 20
    assert kept[150:290, 73:76].min() == 255


def test_a_scribble_finds_what_stands_out_from_nothing(tmp_path) -> None:
    with pytest.raises(ProviderFailed, match="draw a box"):
        GrabCut().mask(sky())

    strokes = drawn(tmp_path / "s.png", (255, (0.3, 0.9), (0.7, 0.9)), (0, (0.1, 0.1), (0.9, 0.1)))

    assert GrabCut(scribble=strokes).mask(sky())[346, 128] == 255


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: path.write_bytes(path.read_bytes() + b" "), "not the one that was named"),
        (lambda path: path.unlink(), "No such file"),
    ],
)
def test_a_scribble_that_changed_or_is_gone_is_refused(one, tmp_path, change, says) -> None:
    strokes = drawn(tmp_path / "s.png", (255, (0.4, 0.5), (0.6, 0.5)))
    change(strokes.path)

    with pytest.raises(ProviderFailed, match=says) as caught:
        GrabCut(scribble=strokes).mask(one.picture)

    assert str(strokes.path) in caught.value.cause


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (encode_png(np.full((100, 300), 255, np.uint8)), "300x100"),
        (encode_png(np.full((384, 256), 128, np.uint8)), "no stroke"),
        (b"no picture", "cannot be read"),
    ],
)
def test_a_scribble_of_another_shape_without_strokes_or_that_is_no_picture_is_refused(
    one, tmp_path, content, says
) -> None:
    path = tmp_path / "s.png"
    path.write_bytes(content)

    with pytest.raises(ProviderFailed, match=says):
        GrabCut(scribble=Scribble.of(path)).mask(one.picture)
