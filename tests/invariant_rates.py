"""How often the invariants raise a false alarm, and which faults they see: prints the tables of docs/invariants.md.

``PYTHONPATH=.:tests python tests/invariant_rates.py`` prints the tables of the pictures on which limits are tried;
``PYTHONPATH=.:tests python tests/invariant_rates.py fit`` those of the pictures on which they were fitted.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from invariant_faults import FAULTS, PROFILES, Fault
from invariant_sets import HEIGHT, UPSCALERS, clean_cut_outs, large_pictures, sources

from kroma_nb.passes import color
from kroma_nb.qa.invariants import check_color, check_cutout, check_upscale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.invariants import Invariant

SOURCES = 60
SEEDS = 40
FAULTY_SEEDS_FROM = 10_000


def clean_upscales(odd: int, count: int, rows: int = HEIGHT) -> Iterator[tuple[Invariant, ...]]:
    """Check clean enlargements of so many sources, each by every upscaler, at scales 2, 3 and 4 in turn."""
    for index, picture in enumerate(sources(odd, count)):
        scale, part = (2, 3, 4)[index % 3], picture[:rows]
        for upscale in UPSCALERS.values():
            yield check_upscale(part, upscale(part, scale), scale)


def clean_large_upscales(odd: int) -> Iterator[tuple[Invariant, ...]]:
    """Check clean enlargements of larger pictures, by every upscaler."""
    for picture in large_pictures(odd):
        for upscale in UPSCALERS.values():
            yield check_upscale(picture, upscale(picture, 2), 2)


def clean_cutouts(odd: int, count: int) -> Iterator[tuple[Invariant, ...]]:
    """Check right cut-outs of so many figures, four of each."""
    for index in range(count):
        for picture, cut in clean_cut_outs(2 * index + odd).values():
            yield check_cutout(picture, cut)


def clean_colors(odd: int, count: int) -> Iterator[tuple[Invariant, ...]]:
    """Check so many coloured sources, each with every profile."""
    for picture in sources(odd, count):
        for profile in PROFILES:
            yield check_color(picture, color(picture, profile), profile)


def rate(fault: Fault, severity: float, odd: int) -> tuple[int, int]:
    """Give how many of so many faulty results the fault's own invariant saw, and how many."""
    seen = 0
    for index in range(SEEDS):
        found = fault.found(FAULTY_SEEDS_FROM + 2 * index + odd, severity)
        seen += any(one.name is fault.invariant and not one.holds for one in found)
    return seen, SEEDS


def _print_clean(odd: int) -> None:
    values: dict[tuple[str, str], list[Invariant]] = defaultdict(list)
    checks = [*clean_upscales(odd, SOURCES), *clean_large_upscales(odd)]
    for found in [*checks, *clean_cutouts(odd, SOURCES), *clean_colors(odd, SOURCES)]:
        for one in found:
            values[one.pass_name.value, one.name.value].append(one)
    print("| pass | invariant | limit | largest of the clean | false alarms |\n|---|---|---|---|---|")
    for (pass_name, name), all_of_it in values.items():
        alarms = sum(not one.holds for one in all_of_it)
        largest = max(one.value for one in all_of_it)
        print(f"| `{pass_name}` | `{name}` | {all_of_it[0].limit:g} | {largest:.4g} | {alarms} of {len(all_of_it)} |")


def _print_sweeps(odd: int) -> None:
    print("| fault | seen by | severity: how many of 40 are seen |\n|---|---|---|")
    for fault in FAULTS:
        rates = [f"{severity:g}: {rate(fault, severity, odd)[0]}" for severity in fault.severities]
        unit = f" ({fault.unit})" if fault.unit else ""
        print(f"| {fault.name}{unit} | `{fault.invariant}` | {', '.join(rates)} |", flush=True)


def main() -> None:
    """Print the tables."""
    odd = 0 if sys.argv[1:] == ["fit"] else 1
    _print_clean(odd)
    print()
    _print_sweeps(odd)


if __name__ == "__main__":
    main()
