"""Valid settings files, damaged at random: equal settings or a clear refusal, never anything else."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kroma_nb.errors import KromaError
from kroma_nb.model.postprocess import CutoutBackend, UpscaleBackend
from kroma_nb.settings import KEYS, Settings, load_settings

BACKENDS = st.lists(st.sampled_from([word.value for word in CutoutBackend]), max_size=4)
NAMES = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)
POSTPROCESS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.booleans() for name in ("upscale", "color", "bg_remove", "bg_refine_openai")},
        "bg_refine_openai_required": st.booleans(),
        "upscale_backend": st.sampled_from([word.value for word in UpscaleBackend]),
        "color_profile": NAMES,
        "bg_remove_backends": BACKENDS,
    },
)
VALID = st.fixed_dictionaries(
    {"postprocess": POSTPROCESS}, optional={"manifest_path": NAMES, "postprocess_config_path": NAMES}
)
JUNK = st.one_of(
    st.none(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.just("\ud800"),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=4), st.booleans(), max_size=2),
    st.integers(1, 400).map(lambda depth: json.loads("[" * depth + "]" * depth)),
)


def loaded(text: str | bytes, name: str) -> Settings | KromaError:
    """Load a text as app settings; any exception but a `KromaError` fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            settings = load_settings(Path("/home"), app_path=path)
        except KromaError as error:
            return checked(error, name)
        return Settings(tuple(_without_file(layer) for layer in settings.layers))


def checked(error: KromaError, name: str) -> KromaError:
    assert name in str(error)
    assert str(error).encode().decode() == str(error)
    return error


def _without_file(layer: Any) -> Any:
    return type(layer)(layer.layer, Path("settings"), layer.values)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the path of every key and list item."""
    if not isinstance(document, dict | list):
        return []
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    return [place for key, child in inner for place in [(*path, key), *places(child, (*path, key))]]


def parent_of(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def dotted(path: tuple[Any, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def as_toml(document: dict[str, Any]) -> str:
    """Write a settings document as TOML, whose basic strings, lists and booleans read like JSON's."""
    top = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in document.items() if key != "postprocess"
    ]
    inner = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in document["postprocess"].items()]
    return "\n".join([*top, "[postprocess]", *inner, ""])


@given(VALID)
def test_a_valid_file_means_the_same_in_every_form(document: dict[str, Any]) -> None:
    settings = loaded(json.dumps(document), "s.json")

    assert isinstance(settings, Settings)
    assert settings == loaded(as_toml(document), "s.toml")
    assert settings == loaded(json.dumps({"pipeline": document}, indent=3), "s.json")
    for key in KEYS:
        head, _, leaf = key.key.partition(".")
        written = document.get(head, {}).get(leaf) if leaf else document.get(head)
        if written is not None and key.kind != "path":
            got = settings.get(key.key)
            assert (list(got) if isinstance(got, tuple) else got) == written


@given(VALID, JUNK, st.data())
def test_a_value_of_another_kind_at_any_place_is_refused_by_its_path(
    document: dict[str, Any], junk: Any, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(places(document)))
    damaged = copy.deepcopy(document)
    parent_of(damaged, path)[path[-1]] = junk

    outcome = loaded(json.dumps(damaged), "s.json")

    if isinstance(outcome, KromaError):
        assert dotted(path) in str(outcome)
    else:
        # What was put there happened to be another right value.
        assert type(junk) in {str, list, dict, bool}


@given(VALID, st.text(max_size=8), st.data())
def test_a_renamed_key_is_refused_by_its_path(document: dict[str, Any], name: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in places(document) if isinstance(path[-1], str)]))
    damaged = copy.deepcopy(document)
    parent = parent_of(damaged, path)
    new = path[-1] + name
    parent[new] = parent.pop(path[-1])

    outcome = loaded(json.dumps(damaged), "s.json")

    if not name or new in {key.key.rpartition(".")[2] for key in KEYS}:
        return
    assert isinstance(outcome, KromaError)
    assert "\0" in new or dotted((*path[:-1], new)) in str(outcome)


@given(VALID, st.sampled_from(["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "9" * 6000]), st.data())
def test_a_number_that_is_none_is_refused(document: dict[str, Any], number: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(places(document)))
    damaged = copy.deepcopy(document)
    parent_of(damaged, path)[path[-1]] = "@number@"

    outcome = loaded(json.dumps(damaged).replace('"@number@"', number), "s.json")

    assert isinstance(outcome, KromaError)
    assert dotted(path) in str(outcome) or "digits" in str(outcome)


@given(VALID, st.data())
def test_a_repeated_key_is_refused_by_its_path(document: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in places(document) if isinstance(path[-1], str)]))
    damaged = copy.deepcopy(document)
    parent_of(damaged, path)["@again@"] = True

    outcome = loaded(json.dumps(damaged).replace('"@again@"', json.dumps(path[-1])), "s.json")

    assert isinstance(outcome, KromaError)
    assert f"{dotted(path)}: the key stands twice" in str(outcome)


@given(VALID, st.data(), st.sampled_from(["s.json", "s.toml"]))
def test_lost_and_foreign_bytes_give_settings_or_a_clear_refusal(
    document: dict[str, Any], data: st.DataObject, name: str
) -> None:
    raw = (as_toml(document) if name == "s.toml" else json.dumps(document)).encode()
    start = data.draw(st.integers(0, len(raw)))
    lost = data.draw(st.integers(0, 3))
    put = data.draw(
        st.one_of(st.just(b""), st.binary(max_size=3), st.sampled_from([b"{", b"}", b"[", b"]", b'"', b","]))
    )

    outcome = loaded(raw[:start] + put + raw[start + lost :], name)

    assert isinstance(outcome, Settings | KromaError)


@given(st.binary(max_size=200), st.sampled_from(["s.json", "s.toml"]))
def test_any_bytes_give_settings_or_a_clear_refusal(raw: bytes, name: str) -> None:
    assert isinstance(loaded(raw, name), Settings | KromaError)


@given(VALID, st.sampled_from([0, -1]))
def test_a_deleted_brace_is_refused_with_line_and_column(document: dict[str, Any], brace: int) -> None:
    signs = list(json.dumps(document))
    del signs[brace]

    outcome = loaded("".join(signs), "s.json")

    assert isinstance(outcome, KromaError)
    assert "line 1, column" in str(outcome)
