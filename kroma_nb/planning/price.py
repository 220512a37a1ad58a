"""The catalog of models and prices, the engine that a plan uses, and what the plan would cost."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import CatalogInvalid, ManifestInvalid, RequestInvalid
from kroma_nb.model.money import QUALITY_MARK, Catalog, Forecast, ModelCard, Money
from kroma_nb.model.offer import Offer
from kroma_nb.model.parsing import did_you_mean, parse_value
from kroma_nb.planning.documents import read_built_in, read_text_bytes, refuse_unusable
from kroma_nb.planning.scenes import REQUEST
from kroma_nb.settings.secrets import IMAGE_MODEL, IMAGE_QUALITY, look_up, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from kroma_nb.model.plan import Job
    from kroma_nb.planning.manifest import LoadedManifest

BUILT_IN_CATALOG = "models.toml"
MODEL_MARK = "/"
"""What parts a provider's name from that of one of its models, where a request names both."""


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
    ('ink', 'sdapi', 'comfyui', 'openai')
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

    Which of OpenAI's models is meant where none is named may also stand in the environment or in the ``.env``.

    Raises
    ------
    FileMissing, CatalogInvalid, SettingsInvalid
        If the workspace's own files cannot be used.
    """
    own = home / "config" / BUILT_IN_CATALOG
    catalog = load_catalog(own if own.exists() or own.is_symlink() else None)
    sources = sources_of(home)
    model, quality = look_up(IMAGE_MODEL, sources), look_up(IMAGE_QUALITY, sources)
    if model is None and quality is None:
        return catalog
    named = model.text if model is not None else ""
    if quality is not None and QUALITY_MARK not in named:
        named += QUALITY_MARK + quality.text
    return catalog.model_copy(update={"preferred": catalog.preferred | {"openai": named}})


def choose_card(catalog: Catalog, asked: str | None, loaded: LoadedManifest, *, cap: Money | None = None) -> ModelCard:
    """Give the card of the engine that the request names, else the manifest: ``PROVIDER`` or ``PROVIDER/MODEL``.

    A cap on the price of a call takes the place of a price that is not known, and bounds one that is.

    Raises
    ------
    RequestInvalid, ManifestInvalid
        If the catalog has no such provider, or no such model of it; of the kind that names it.
    RequestInvalid
        If the engine is paid and its price is not known and not capped, or lies above the cap; or it answers no more.
    """
    name = loaded.manifest.generation.provider if asked is None else asked
    provider, named, model = name.partition(MODEL_MARK)
    card = catalog.find(name) or catalog.find(provider, model if named else None)
    if card is None:
        problem, hint = _unknown(catalog, provider, model if named else None)
        if asked is None:
            raise ManifestInvalid(loaded.file, "generation.provider", problem, hint)
        raise RequestInvalid(REQUEST, "provider", problem, hint)
    return capped(card, cap) if card.paid else card


def _unknown(catalog: Catalog, provider: str, model: str | None) -> tuple[str, str]:
    """Say which name the catalog does not know, and which one may be meant."""
    if provider not in catalog.providers:
        return f"there is no provider {provider!r}", did_you_mean(provider, catalog.providers)
    wanted = catalog.preferred.get(provider, "") if model is None else model
    where = f", which {IMAGE_MODEL} and {IMAGE_QUALITY} name" if model is None and provider == "openai" else ""
    if wanted.startswith(QUALITY_MARK):
        wanted = next(card.model for card in catalog.models if card.provider == provider) + wanted
    return f"there is no model {wanted!r} of {provider}{where}", did_you_mean(wanted, catalog.names_of(provider))


def capped(card: ModelCard, cap: Money | None, *, today: date | None = None) -> ModelCard:
    """Bound what a picture of a paid model costs.

    Raises
    ------
    RequestInvalid
        If its price is not known and not capped, or lies above the cap; or if the model answers no more.
    """
    _refuse_retired(card, today or datetime.now(UTC).date())
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
    least = card.least_per_picture
    if price is None and cap is not None and least is not None and cap < least:
        problem = f"a picture of {card.provider} {card.model} costs {least} and what goes with it; max_price is {cap}"
        raise RequestInvalid(REQUEST, "max_price", problem, "raise it, or choose another engine")
    return card if price is not None else card.model_copy(update={"price_per_picture": cap})


def _refuse_retired(card: ModelCard, today: date) -> None:
    offer = card.offer or Offer()
    if offer.retired is not None and offer.retired <= today:
        problem = f"{card.provider} has shut {card.model} down on {offer.retired}"
        instead = " or ".join(offer.replaced_by)
        raise RequestInvalid(REQUEST, "provider", problem, f"use {instead}" if instead else "use another model")


def notes_on(card: ModelCard) -> tuple[str, ...]:
    """Say what the user should know of a model before it is used: that its days are counted."""
    offer = card.offer or Offer()
    if offer.retired is None:
        return ()
    instead = f"; {' or '.join(offer.replaced_by)} takes its place" if offer.replaced_by else ""
    return (f"{card.provider} shuts {card.model} down on {offer.retired}{instead}.",)


def check_offer(card: ModelCard, jobs: Iterable[Job]) -> None:
    """Refuse jobs that a model does not take: their size, their pictures' files, how many there are.

    Raises
    ------
    RequestInvalid
        With the nearest sizes that it does take.
    """
    offer, model = card.offer or Offer(), f"{card.provider} {card.model}"
    for job in jobs:
        if not offer.takes(job.size):
            near = " or ".join(str(size) for size in offer.nearest(job.size))
            problem = f"{model} does not draw {job.size}, the page of {job.name}"
            raise RequestInvalid(REQUEST, "provider", problem, f"write generation.size as {near} in the manifest")
        files = (job.scene, *job.references)
        if offer.most_pictures is not None and len(files) > offer.most_pictures:
            problem = f"{model} takes {offer.most_pictures} pictures at once; {job.name} and its references are more"
            raise RequestInvalid(REQUEST, "style_refs", problem, "name fewer references")
        for file in files:
            if offer.media_types and file.media_type not in offer.media_types:
                problem = f"{model} does not read {file.media_type}, and {file.ref} is one"
                raise RequestInvalid(REQUEST, "provider", problem, "save that picture as PNG")


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
