"""What differs between two texts, word by word."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from kroma_nb.model.diff import WordKind, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Beyond this many pairs of words, finding the best match takes seconds; then all between the equal ends is another.
MOST_PAIRS = 1_000_000
# In a passage that was written anew, an "and" or "of the" that both happen to have only makes it harder to read: up to
# so many words in a row, between two changes of at least so many words each, count as changed.
ISLAND, REWRITTEN = 2, 4


def word_diff(before: str, after: str) -> tuple[Words, ...]:
    """Compare two texts by word; how they are broken into lines and spaced does not count.

    Returns
    -------
    tuple of Words
        In order, removed before added; the words that are not added are `before`, those that are not removed `after`.
        Empty where the texts have the same words.

    Examples
    --------
    >>> [(part.kind.value, part.text) for part in word_diff("Keep the lamp lit.", "Keep the  lantern lit.")]
    [('same', 'Keep the'), ('removed', 'lamp'), ('added', 'lantern'), ('same', 'lit.')]
    """
    old, new = before.split(), after.split()
    if old == new:
        return ()
    if (len(old), old) > (len(new), new):
        # The matcher is not symmetric; what differs between two texts must not depend on which comes first.
        return tuple(_ordered([part.mirrored() for part in _matched(new, old)]))
    return tuple(_matched(old, new))


def _matched(old: list[str], new: list[str]) -> Iterator[Words]:
    start = _equal(old, new)
    end = _equal(old[start:][::-1], new[start:][::-1])
    yield from _words(WordKind.SAME, old[:start])
    yield from _between(old[start : len(old) - end], new[start : len(new) - end])
    yield from _words(WordKind.SAME, old[len(old) - end :])


def _between(old: list[str], new: list[str]) -> Iterator[Words]:
    if len(old) * len(new) > MOST_PAIRS:
        yield from _words(WordKind.REMOVED, old)
        yield from _words(WordKind.ADDED, new)
        return
    at_old = at_new = 0
    # The last block is an empty one behind both ends.
    for block, following in pairwise(SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()):
        before = block.a - at_old + block.b - at_new
        after = following.a - block.a + following.b - block.b - 2 * block.size
        if block.size <= ISLAND and min(before, after) >= REWRITTEN:
            continue
        yield from _words(WordKind.REMOVED, old[at_old : block.a])
        yield from _words(WordKind.ADDED, new[at_new : block.b])
        yield from _words(WordKind.SAME, old[block.a : block.a + block.size])
        at_old, at_new = block.a + block.size, block.b + block.size
    yield from _words(WordKind.REMOVED, old[at_old:])
    yield from _words(WordKind.ADDED, new[at_new:])


def _equal(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _words(kind: WordKind, words: list[str]) -> Iterator[Words]:
    if words:
        yield Words(kind=kind, text=" ".join(words))


def _ordered(parts: list[Words]) -> list[Words]:
    for place in range(len(parts) - 1):
        if parts[place].kind is WordKind.ADDED and parts[place + 1].kind is WordKind.REMOVED:
            parts[place : place + 2] = parts[place + 1], parts[place]
    return parts


def hunks(words: Sequence[Words], context: int) -> Iterator[tuple[Words, ...]]:
    """Give the places that differ, each with so many words around it; what is left out becomes ``…``.

    Examples
    --------
    >>> found = word_diff("a b c d e f g h i j", "a b c X e f g h Y j")
    >>> [" ".join(part.text for part in hunk) for hunk in hunks(found, 1)]
    ['… c d X e …', '… h i Y j']
    """
    hunk: list[Words] = []
    last = len(words) - 1
    for place, part in enumerate(words):
        if part.kind is not WordKind.SAME:
            hunk.append(part)
            continue
        said = part.text.split()
        lead, trail = (context if place else 0), (context if place < last else 0)
        if place not in {0, last} and len(said) <= lead + trail:
            hunk.append(part)
            continue
        hunk += _cut(said[:lead], after=len(said) > lead)
        if place:
            yield tuple(hunk)
        hunk = list(_cut(said[-trail:] if trail else [], before=len(said) > trail)) if place < last else []
    if hunk:
        yield tuple(hunk)


def _cut(words: list[str], *, before: bool = False, after: bool = False) -> Iterator[Words]:
    if words:
        yield from _words(WordKind.SAME, ["…"] * before + words + ["…"] * after)
