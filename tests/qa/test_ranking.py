"""How the candidates of one job stand to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kroma_nb.model.quality import FileReport, GuardSettings, HardReason, SoftWarning
from kroma_nb.qa import rank_candidates
from kroma_nb.qa.score import TIE_TOLERANCE

UNJUDGED = GuardSettings()
JUDGED = GuardSettings(judge_chroma=True)


def report(
    quality: float = 0.5, *, chroma: float | None = 0.0, hard: int = 0, soft: tuple[SoftWarning, ...] = ()
) -> FileReport:
    return FileReport(
        file="c.png",
        chroma_delta=chroma,
        hard_fail_reasons=tuple(HardReason)[:hard],
        soft_warnings=soft,
        quality=quality,
    )


def placed(reports: dict[int, FileReport], settings: GuardSettings = UNJUDGED) -> list[int]:
    ranks = rank_candidates(reports, settings)
    return sorted((index for index in ranks if ranks[index].position), key=lambda index: ranks[index].position)


def test_the_better_picture_wins_not_the_first() -> None:
    assert placed({1: report(0.4), 2: report(0.9), 3: report(0.6)}) == [2, 3, 1]


def test_the_better_picture_wins_not_the_greyest() -> None:
    assert placed({1: report(0.4, chroma=0.0), 2: report(0.9, chroma=60.0)}) == [2, 1]


def test_a_warning_weighs_more_than_quality() -> None:
    assert placed({1: report(0.9, soft=(SoftWarning.NOISY,)), 2: report(0.2)}) == [2, 1]


def test_a_hard_failure_stands_outside_the_ranking() -> None:
    ranks = rank_candidates({1: report(0.9, hard=1), 2: report(0.9), 3: report(0.9, hard=2)}, UNJUDGED)

    assert [rank.position for rank in ranks.values()] == [0, 1, 0]
    assert [rank.hard_failures for rank in ranks.values()] == [1, 0, 2]
    assert all(rank.tied_with == () for rank in ranks.values())


def test_where_colour_is_judged_the_smaller_excess_comes_first() -> None:
    soft = (SoftWarning.CHROMA_EXCEEDS_THRESHOLD,)
    reports = {1: report(0.9, chroma=40.0, soft=soft), 2: report(0.3, chroma=2.5, soft=soft)}

    assert placed(reports, JUDGED) == [2, 1]


def test_where_colour_is_judged_the_greyest_of_those_within_the_threshold_has_no_advantage() -> None:
    assert placed({1: report(0.3, chroma=0.0), 2: report(0.9, chroma=1.9)}, JUDGED) == [2, 1]


@pytest.mark.parametrize(
    ("chroma", "excess"), [(1.5, 0.0), (2.75, 0.75), (2.33333, 0.3333), (2.66666, 0.6667), (None, 0.0)]
)
def test_the_excess_over_the_threshold_is_reported_to_four_decimals(chroma: float | None, excess: float) -> None:
    ranks = rank_candidates({1: report(chroma=chroma)}, GuardSettings(max_chroma_delta=2.0))

    assert ranks[1].avg_chroma_exceed == excess


def test_scores_that_cannot_be_told_apart_are_shown_as_ties_and_the_better_still_comes_first() -> None:
    ranks = rank_candidates({1: report(0.80), 2: report(0.81), 3: report(0.70)}, UNJUDGED)

    assert (ranks[1].tied_with, ranks[2].tied_with, ranks[3].tied_with) == ((2,), (1,), ())
    assert (ranks[2].position, ranks[1].position) == (1, 2)


def test_equal_scores_keep_their_order_and_say_so() -> None:
    ranks = rank_candidates({3: report(0.8), 1: report(0.8)}, UNJUDGED)

    assert [(index, rank.position, rank.tied_with) for index, rank in ranks.items()] == [(1, 1, (3,)), (3, 2, (1,))]


def test_a_candidate_with_a_warning_ties_with_none_that_has_no_warning() -> None:
    ranks = rank_candidates({1: report(0.8), 2: report(0.8, soft=(SoftWarning.NOISY,))}, UNJUDGED)

    assert all(rank.tied_with == () for rank in ranks.values())


def test_a_difference_of_exactly_the_tolerance_is_a_tie() -> None:
    ranks = rank_candidates(
        {1: report(0.7), 2: report(round(0.7 + TIE_TOLERANCE, 4)), 3: report(round(0.7 - TIE_TOLERANCE - 0.0001, 4))},
        UNJUDGED,
    )

    assert (ranks[1].tied_with, ranks[3].tied_with) == ((2,), ())


def test_no_candidates_have_no_ranks() -> None:
    assert rank_candidates({}, UNJUDGED) == {}


CANDIDATES = st.dictionaries(
    st.integers(1, 12),
    st.builds(
        report,
        st.floats(0, 1).map(lambda score: round(score, 4)),
        chroma=st.floats(0, 9),
        hard=st.integers(0, 1),
        soft=st.sampled_from([(), (SoftWarning.NOISY,), (SoftWarning.NOISY, SoftWarning.CLIPPED)]),
    ),
)


@given(CANDIDATES, st.booleans())
def test_positions_count_up_ties_hold_both_ways_and_order_of_arrival_does_not_matter(
    reports: dict[int, FileReport], judged: bool
) -> None:
    settings = GuardSettings(judge_chroma=judged)

    ranks = rank_candidates(reports, settings)

    fine = [rank for rank in ranks.values() if not rank.hard_failures]
    assert sorted(rank.position for rank in fine) == list(range(1, len(fine) + 1))
    assert all(index in ranks[other].tied_with for index, rank in ranks.items() for other in rank.tied_with)
    assert ranks == rank_candidates(dict(reversed(reports.items())), settings)
