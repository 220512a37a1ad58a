"""Valid files, broken in one place at random: only our errors, the place named, nothing written."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kroma_nb import planning
from kroma_nb.errors import KromaError
from kroma_nb.model.parsing import dotted
from kroma_nb.model.plan import PostprocessRequest

MANIFEST = {
    "scenes": [
        {"ref": "photos/harbour.png", "name": "Harbour", "prompt": "Quiet.", "seed": 3, "ground_line": 0.6},
        {"ref": "photos/stairs.png"},
    ],
    "style_refs": ["styles/look.png"],
    "safe_batch_limit": 10,
    "generation": {
        "candidates": 2,
        "max_candidates": 4,
        "seed": 1,
        "size": "64x48",
        "provider": "ink",
        "hand": {"line_weight": {"low": 0.9, "high": 1.1}, "tones": 3},
    },
    "output_guard": {"enforce_grayscale": True, "max_chroma_delta": 2.5, "fail_on_chroma_exceed": False},
    "policy": {"default_no_invention": True},
    "prompts": {"style_base": "A.", "time_day": "B.", "time_night": "C.", "weather_clear": "D.", "weather_rain": "E."},
}
JOBS = [
    {"id": "one", "prompt": "Draw.", "input_images": ["photos/harbour.png", "styles/look.png"]},
    {
        "id": "two",
        "name": "Two",
        "prompt": "Draw.",
        "input_images": ["photos/stairs.png"],
        "mode": "style",
        "time": "day",
        "weather": "rain",
    },
]
POSTPROCESS = {
    "upscale": {"backend": "ncnn", "scale": 4, "format": "png"},
    "color": {"default_profile": "dusk", "settings_file": "profiles.json"},
    "bg_remove": {
        "backends": ["rembg", "photoroom"],
        "format": "webp",
        "openai": {"enabled": False, "required": True},
    },
}
PROFILES = {
    "profiles": {"dusk": {"brightness": 0.9, "gamma": 1.1, "autocontrast_cutoff": 0.5}, "dawn": {"contrast": 1.2}},
    "default_profile": "dusk",
}
DOCUMENTS: dict[str, Any] = {
    "manifest.json": MANIFEST,
    "jobs.json": JOBS,
    "post.json": POSTPROCESS,
    "profiles.json": PROFILES,
}
STRANGE = [
    *(None, True, False, 0, -1, 1, 3.0, 0.5, 10**40, -(10**40), 1e308, "", " ", "x", "3", "../up.png", "/etc/passwd"),
    *("a\0b", "half \ud800", "x" * 5000, "夜", [], [None], [[]], ["x"], {}, {"x": 1}, {"": None}),
]
CHECK = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


def places(node: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Give the path of every value below a node."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path for key, value in pairs for path in ((*here, key), *places(value, (*here, key)))]


def at(node: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


def with_twice(node: Any, path: tuple[str | int, ...]) -> str:
    """Write JSON in which the key at the end of a path stands twice."""
    if isinstance(node, dict):
        pairs = [f"{json.dumps(key)}: {with_twice(node[key], path[1:] if path[:1] == (key,) else ())}" for key in node]
        if len(path) == 1:
            pairs.append(f"{json.dumps(path[0])}: 1")
        return "{" + ", ".join(pairs) + "}"
    if isinstance(node, list):
        items = enumerate(node)
        return "[" + ", ".join(with_twice(item, path[1:] if path[:1] == (i,) else ()) for i, item in items) + "]"
    return json.dumps(node)


def complaint(told, name: str, text: str) -> str | None:
    """Plan with one file's text replaced; give the error's words, or None if the plan stands."""
    for other, data in DOCUMENTS.items():
        told.write(other, text if other == name else data)
    request = told.request(
        manifest_path=Path("manifest.json"),
        jobs_file=None if name == "manifest.json" else Path("jobs.json"),
        postprocess=PostprocessRequest(config_path=Path("post.json"), color=True, upscale=True, bg_remove=True),
    )
    before = told.snapshot()
    try:
        planning.plan(request)
    except KromaError as error:
        words = str(error)
        words.encode("utf-8")
        return words
    finally:
        assert told.snapshot() == before
    return None


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_are_valid_before_they_are_broken(told, name) -> None:
    assert complaint(told, name, json.dumps(DOCUMENTS[name])) is None


@pytest.mark.parametrize("name", DOCUMENTS)
@CHECK
@given(data=st.data())
def test_a_strange_value_anywhere_is_taken_or_refused_by_its_dotted_path(told, name, data) -> None:
    document = copy.deepcopy(DOCUMENTS[name])
    path = data.draw(st.sampled_from(places(document)))
    at(document, path[:-1])[path[-1]] = data.draw(st.sampled_from(STRANGE))

    words = complaint(told, name, json.dumps(document))

    assert words is None or named(words, path, document)


@pytest.mark.parametrize("name", DOCUMENTS)
@CHECK
@given(data=st.data())
def test_a_renamed_key_is_refused_by_its_dotted_path(told, name, data) -> None:
    document = copy.deepcopy(DOCUMENTS[name])
    path = data.draw(st.sampled_from([path for path in places(document) if isinstance(path[-1], str)]))
    parent = at(document, path[:-1])
    parent[f"{path[-1]}x"] = parent.pop(path[-1])

    words = complaint(told, name, json.dumps(document))

    # The names of profiles are the one place where any key is a good one.
    free = name == "profiles.json" and path[:-1] == ("profiles",)
    assert (words is None and free) or dotted(path) in words or (free and "default_profile" in words)


@pytest.mark.parametrize("name", DOCUMENTS)
@CHECK
@given(data=st.data())
def test_a_key_that_stands_twice_is_refused_by_its_dotted_path(told, name, data) -> None:
    document = DOCUMENTS[name]
    path = data.draw(st.sampled_from([path for path in places(document) if isinstance(path[-1], str)]))

    words = complaint(told, name, with_twice(document, path))

    assert words is not None
    assert f"{dotted(path)}: the key stands twice" in words


@pytest.mark.parametrize("name", DOCUMENTS)
@CHECK
@given(data=st.data())
def test_a_lost_or_added_sign_is_refused_by_the_files_name(told, name, data) -> None:
    text = json.dumps(DOCUMENTS[name])
    signs = [index for index, sign in enumerate(text) if sign in '{}[]:,"']
    index = data.draw(st.sampled_from(signs))
    instead = data.draw(st.sampled_from(["", "}", "]", "{", "\x00"]).filter(lambda sign: sign != text[index]))

    words = complaint(told, name, text[:index] + instead + text[index + 1 :])

    assert words is None or name in words or "photos" in words or "styles" in words


@pytest.mark.parametrize("name", DOCUMENTS)
@CHECK
@given(data=st.data())
def test_a_file_that_ends_early_is_refused_by_its_name(told, name, data) -> None:
    text = json.dumps(DOCUMENTS[name])
    end = data.draw(st.integers(0, len(text) - 1))

    words = complaint(told, name, text[:end])

    assert words is not None
    assert name in words


def named(words: str, path: tuple[str | int, ...], document: Any) -> bool:
    """Tell whether an error names the broken place, or the field that it clashes with."""
    value = at(document, path)
    clashes = {
        "no scene": value == [] and path == ("scenes",),
        # A span and a hand are judged as a whole.
        "generation.hand": path[:2] == ("generation", "hand"),
        "no profile": path[:1] in {("profiles",), ("default_profile",), ("color",)},
        # A profile is looked for in the file that should have it.
        "profiles": path == ("color", "default_profile"),
        "is the id of": path[-1:] == ("id",),
    }
    return dotted(path) in words or any(phrase in words and holds for phrase, holds in clashes.items())
