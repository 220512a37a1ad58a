"""The page about providers: its tables are what the catalog and the code have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kroma_nb.model.offer import Offer, size_of
from kroma_nb.planning import load_catalog
from kroma_nb.providers import sdapi
from kroma_nb.providers.comfyui.painter import USUAL_URL
from kroma_nb.providers.comfyui.workflow import INPUTS, NEEDED, built_in
from kroma_nb.providers.openai.painter import OFFICIAL_URL
from kroma_nb.providers.openai.refusals import GATEWAY_TIMEOUTS, QUOTA
from kroma_nb.settings import secrets

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()


def table(heading: str) -> list[list[str]]:
    start = PAGE.index(f"| {heading}")
    lines = PAGE[start:].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")] for line in lines]


def test_every_model_stands_there_as_the_catalog_has_it() -> None:
    told = [(row[0].strip("`"), row[1].split(), row[2], row[3]) for row in table("model")]

    cards = [card for card in load_catalog().models if card.provider == "openai"]
    assert told == [
        (
            card.model,
            list(card.offer.qualities),
            "any" if card.offer.free else "the three" if card.offer.sizes else "",
            str(card.offer.retired or ""),
        )
        for card in cards
    ]


def test_a_model_can_be_added_as_the_page_says(tmp_path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0] + '[preferred]\nopenai = "gpt-image-3:low"\n')
    told = [name for row in table("`[models.offer]`") for name in re.findall(r"`(\w+)`", row[0])]

    catalog = load_catalog(path)
    (card,) = [card for card in catalog.models if card.model == "gpt-image-3"]
    assert catalog.find("openai").model == "gpt-image-3:low"
    assert card.offer.takes(size_of("1024x1024"))
    assert sorted(told) == sorted(Offer.model_fields)


def test_every_variable_stands_there() -> None:
    names = [secrets.API_KEY, secrets.BASE_URL, secrets.IMAGE_MODEL, secrets.IMAGE_QUALITY, secrets.IMAGE_SIZE]

    assert [row[0].strip("`") for row in table("variable")] == names
    assert OFFICIAL_URL in PAGE


def test_every_variable_of_a_server_at_home_stands_there_with_what_holds_without_it() -> None:
    told = {row[0].strip("`"): row[2].strip("`") for row in table("at home")}

    assert set(told) == {getattr(secrets, name) for name in dir(secrets) if name.startswith(("SDAPI_", "COMFYUI_"))}
    assert told[secrets.SDAPI_URL] == sdapi.USUAL_URL
    assert told[secrets.COMFYUI_URL] == USUAL_URL
    assert [str(sdapi.USUAL[name]) for name in ("steps", "cfg_scale", "denoising_strength")] == ["30", "7", "0.6"]
    assert "30 steps of Euler, guidance 7, strength 0.6" in told[secrets.SDAPI_OPTIONS]
    (sampler,) = [node["inputs"] for node in built_in().nodes.values() if node["class_type"] == "KSampler"]
    assert [sampler[name] for name in ("steps", "cfg", "denoise", "sampler_name")] == [30, 7.0, 0.6, "euler"]
    for provider in ("sdapi", "comfyui"):
        assert load_catalog().limits_of(provider).timeout_s == 600


def test_the_words_of_a_workflow_and_the_example_options_stand_there(tmp_path) -> None:
    told = [name for row in table("word") for name in re.findall(r"`\{(\w+)\}`", row[0])]
    needed = [re.findall(r"\{(\w+)\}", row[0])[0] for row in table("word") if row[2] == "yes"]
    (options,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert set(told) == {*INPUTS, "page"}
    assert sorted(needed) == sorted(NEEDED)
    assert not sdapi.OWN & json.loads(options).keys()


@pytest.mark.parametrize("card", [card for card in load_catalog().models if card.provider == "openai"])
def test_the_numbers_of_the_page_are_the_catalogs(card) -> None:
    free = card.offer.free
    if free is not None:
        assert f"{free.least_px:,} to {free.most_px:,} pixels" in PAGE
        assert f"at most {free.longest_px} pixels long" in PAGE
        assert (free.multiple_of, free.flattest) == (16, 3)
    assert card.offer.most_pictures in {16, None}
    assert load_catalog().limits_of("openai").timeout_s == 600
    assert card.offer.quality in {"high", ""}


def test_the_codes_that_the_engine_knows_stand_there() -> None:
    codes = " ".join(row[0] for row in table("code"))

    assert all(f"`{code}`" in codes for code in QUOTA)
    assert all(str(status) in PAGE for status in GATEWAY_TIMEOUTS)
