"""The catalog of models and prices, the engine that a plan uses, and what the plan would cost."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import CatalogInvalid, ManifestInvalid, RequestInvalid
from kroma_nb.model.money import Catalog, Forecast, ModelCard, Money
from kroma_nb.model.parsing import did_you_mean, parse_value
from kroma_nb.planning.documents import read_built_in, read_text_bytes, refuse_unusable
from kroma_nb.planning.scenes import REQUEST

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.planning.manifest import LoadedManifest

BUILT_IN_CATALOG = "models.toml"


def load_catalog(path: Path | None = None) -> Catalog:
    """Read the catalog of models and prices.

    Parameters
    ----------
    path : Path or None
        A TOML file, whose models take the place of the built-in ones of the same name and stand before the others;
        None takes the built-in catalog alone.

    Raises
    ------
    FileMissing
        If the file is not there or cannot be opened.
    CatalogInvalid
        With the dotted path of the first wrong field.

    Examples
    --------
    >>> load_catalog().providers
    ('ink',)
    """
    built_in = _catalog(read_built_in(BUILT_IN_CATALOG), BUILT_IN_CATALOG)
    if path is None:
        return built_in
    file = str(path)
    raw = read_text_bytes(path, file=file, role="catalog", error=CatalogInvalid)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise CatalogInvalid(file, "", f"byte {cause.start} is not UTF-8", "save the file as UTF-8") from None
    return _catalog(text, file).over(built_in)


def catalog_of(home: Path) -> Catalog:
    """Read the catalog that holds in a workspace: its own ``config/models.toml`` before the built-in one.

    Raises
    ------
    FileMissing, CatalogInvalid
        If the workspace's own file cannot be used.
    """
    own = home / "config" / BUILT_IN_CATALOG
    return load_catalog(own if own.exists() or own.is_symlink() else None)


def choose_card(catalog: Catalog, asked: str | None, loaded: LoadedManifest, *, cap: Money | None = None) -> ModelCard:
    """Give the card of the engine that the request names, else the manifest.

    A cap on the price of a call takes the place of a price that is not known, and bounds one that is.

    Raises
    ------
    RequestInvalid, ManifestInvalid
        If the catalog has no such provider; of the kind that names it.
    RequestInvalid
        If the engine is paid and its price is not known and not capped, or lies above the cap.
    """
    name = loaded.manifest.generation.provider if asked is None else asked
    card = catalog.find(name)
    if card is None:
        problem, hint = f"there is no provider {name!r}", did_you_mean(name, catalog.providers)
        if asked is None:
            raise ManifestInvalid(loaded.file, "generation.provider", problem, hint)
        raise RequestInvalid(REQUEST, "provider", problem, hint)
    return capped(card, cap) if card.paid else card


def capped(card: ModelCard, cap: Money | None) -> ModelCard:
    """Bound what a picture of a paid model costs.

    Raises
    ------
    RequestInvalid
        If its price is not known and not capped, or lies above the cap.
    """
    price = card.upper_price
    if cap is not None and not cap:
        problem = "a paid picture cannot cost nothing"
        raise RequestInvalid(REQUEST, "max_price", problem, "leave it out, or say what a picture may cost")
    if price is None and cap is None:
        problem = f"the price of {card.provider} {card.model} is not known, so nothing can bound the spending"
        way_out = "add price_per_picture to config/models.toml, or say with max_price what a picture may cost"
        raise RequestInvalid(REQUEST, "provider", problem, way_out)
    if price is not None and cap is not None and cap < price:
        problem = f"a picture of {card.provider} {card.model} costs up to {price}, and max_price is {cap}"
        raise RequestInvalid(REQUEST, "max_price", problem, "raise it, or choose another engine")
    return card if price is not None else card.model_copy(update={"price_per_picture": cap})


def forecast_of(pictures: int, card: ModelCard, catalog: Catalog) -> Forecast:
    """Say how many pictures a plan makes and what they cost at most and at least."""
    low, high = card.lower_price, card.upper_price
    if not card.paid or low is None or high is None:
        return Forecast(pictures=pictures, paid_pictures=0, prices_as_of=catalog.as_of)
    return Forecast(
        pictures=pictures,
        paid_pictures=pictures,
        cost_low=low * pictures,
        cost_high=high * pictures,
        prices_as_of=catalog.as_of,
    )


def _catalog(text: str, file: str) -> Catalog:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise CatalogInvalid(file, "", f"not TOML: {cause}", "correct the syntax there") from None
    except (RecursionError, ValueError) as cause:
        raise CatalogInvalid(file, "", f"not usable TOML: {cause}", "nest less and write shorter numbers") from None
    plain = _with_text_dates(data)
    refuse_unusable(plain, file=file, error=CatalogInvalid)
    catalog = parse_value(Catalog, plain, file=file, error=CatalogInvalid)
    seen: set[tuple[str, str]] = set()
    for index, card in enumerate(catalog.models):
        if (card.provider, card.model) in seen:
            problem = f"{card.provider} {card.model} stands twice"
            raise CatalogInvalid(file, f"models[{index}].model", problem, "keep one of the two")
        seen.add((card.provider, card.model))
    return catalog


def _with_text_dates(node: Any) -> Any:
    """Write TOML's own dates and times as text, as JSON would."""
    if isinstance(node, dict):
        return {key: _with_text_dates(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_text_dates(value) for value in node]
    return node.isoformat() if hasattr(node, "isoformat") else node
