"""A run's proof: its files, its cache and its code against the record, and every pass made again."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kroma_nb.blobs import sha256_file
from kroma_nb.errors import FileMissing, RecordInvalid, RequestInvalid
from kroma_nb.model.replay import Cause, CauseKind, PassCheck, Verdict, Verification
from kroma_nb.model.words import PassName, RunStatus
from kroma_nb.run.cache import Answer, Made, PassCache, V
from kroma_nb.run.differences import of_code, of_files, of_plan, of_profile
from kroma_nb.run.playing import Equipment, Turn
from kroma_nb.run.replay import recorded_engine
from kroma_nb.run.resume import every_candidate, rest_of
from kroma_nb.run.verifying import Verifier, scratch_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kroma_nb.model.brief import Painter
    from kroma_nb.model.finishing import Finishers
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.postprocess import ColorPlan, ColorProfile
    from kroma_nb.model.run import CandidateOutcome
    from kroma_nb.run.folder import RunFolder
    from kroma_nb.run.resume import Rest


@dataclass(frozen=True)
class CacheAudit(PassCache):
    """A cache that answers nothing, and compares what is made with what the project's cache would have answered.

    Attributes
    ----------
    wrong : list of Cause
        The answers that are not what was made.
    """

    wrong: list[Cause] = field(default_factory=list)

    def recall(self, _key: str, /) -> Made | None:
        """Know nothing."""
        return None

    def found(self, _key: str, _kind: type[V], /) -> V | None:
        """Know nothing."""
        return None

    def keep(self, made: Made, _data: bytes, /) -> None:
        """Compare what was made with the answer that is kept."""
        said = self._read(made.key, Made)  # looking at an answer is no use of it
        if said is None:
            return
        answer, is_whole = said
        entry, picture = (path.relative_to(self.root.parent).as_posix() for path in self.files_of(answer))
        if answer != made or not is_whole:
            recorded, now = answer.sha256[:12], made.sha256[:12]
            what = f"{entry} does not hold what the pass makes; delete it"
            self.wrong.append(Cause(kind=CauseKind.CACHE, what=what, recorded=recorded, found=now))
            return
        # Others may trim the cache meanwhile: a picture that is not there, or cannot be read, misleads nobody.
        with contextlib.suppress(FileMissing):
            digest = sha256_file(self.root.parent / picture)
            if digest != made.sha256:
                what = f"{picture} was altered; delete it"
                self.wrong.append(Cause(kind=CauseKind.CACHE, what=what, recorded=made.sha256[:12], found=digest[:12]))

    def keep_found(self, found: Answer) -> None:
        """Compare what was measured with the answer that is kept."""
        said = self._read(found.key, type(found))
        if said is not None and said != (found, True):
            entry = self.place_of(found.key).relative_to(self.root.parent).as_posix()
            what = f"{entry} does not hold what the guard measures; delete it"
            self.wrong.append(Cause(kind=CauseKind.CACHE, what=what))


@dataclass(frozen=True)
class Present:
    """What is here now, to compare a run's record with.

    Attributes
    ----------
    painter_of : callable
        Gives the engine of a plan that costs nothing; a paid one is not needed.
    finishers_of : callable
        Gives the backends that finish the pictures of a plan, those that are here.
    profile_of : callable
        Gives the colour profile of a plan as it is now; None where it is not known.
    cache : PassCache
        The project's; its answers for the run are looked at too.
    """

    painter_of: Callable[[Plan], Painter]
    finishers_of: Callable[[Plan], Finishers]
    profile_of: Callable[[ColorPlan], ColorProfile | None]
    cache: PassCache


def verify_run(
    folder: RunFolder,
    present: Present,
    *,
    workers: int | None = None,
    on_check: Callable[[PassCheck], object] | None = None,
) -> Verification:
    """Make every local pass of a run again in scratch space, and say what each gives and why.

    It takes nothing from the cache, so that a picture that was altered together with its record is found, and so is
    one that came from a false answer of the cache. Nothing in the project is written.

    Parameters
    ----------
    folder : RunFolder
    present : Present
    workers : int, optional
        Threads; by default one a processor.
    on_check : callable, optional
        Is told each pass when it is compared.

    Raises
    ------
    RequestInvalid
        If this installation has not the engine.
    """
    try:
        rest = rest_of(folder)
        altered, differs = tuple(of_plan(folder, rest)), list(of_files(folder, rest))
    except RecordInvalid as error:
        lost = Cause(kind=CauseKind.RECORD, what=folder.told(error))
        return Verification(run_id=folder.run_id, checks=(), differs=(lost,))
    draws = rest.plan.draws and not rest.plan.card.paid
    try:
        painter = present.painter_of(rest.plan) if draws else recorded_engine(rest)
    except RequestInvalid:
        if not altered:
            raise
        # It asks for an engine that the run was not made with.
        return Verification(run_id=folder.run_id, checks=(), differs=tuple(differs))
    checks = list(_without_outcome(rest, altered))
    equipment = Equipment(cache=(audit := CacheAudit(present.cache.root)), finishers=present.finishers_of(rest.plan))
    with scratch_of(folder) as scratch, ThreadPoolExecutor(workers or os.cpu_count() or 1) as threads:
        verifier = Verifier(folder, rest, painter, scratch, equipment)
        verifier.study()
        for several in threads.map(lambda one: verifier.check(*one), _turns(rest)):
            for check in several:
                checks.append(check)
                if on_check is not None:
                    on_check(check)
    code = list(dict.fromkeys(of_code(rest, painter if draws else None, equipment.finishers)))
    # What an altered plan says of its colour profile, no profile has ever said.
    differs += [*code, *([] if altered else of_profile(rest, present.profile_of)), *audit.wrong]
    return Verification(
        run_id=folder.run_id, checks=tuple(_explained(check, code) for check in checks), differs=tuple(differs)
    )


def _without_outcome(rest: Rest, altered: tuple[Cause, ...]) -> Iterator[PassCheck]:
    """Give the candidates of a run that has ended whose ends are on no record: somebody has taken them out."""
    finished = rest.happened.finished
    if finished is None or finished.status is RunStatus.INTERRUPTED or finished.failure is not None:
        return
    gone = Cause(kind=CauseKind.RECORD, what="the run has ended, and how this candidate did is not on record")
    for job in rest.plan.jobs:
        for candidate in every_candidate(job, rest.happened):
            if candidate.index not in rest.happened.outcomes.get(job.id, {}):
                yield PassCheck(
                    job_id=job.id,
                    candidate=candidate.index,
                    pass_name=PassName.GENERATE,
                    path="",
                    verdict=Verdict.MISSING,
                    causes=(*altered, gone),
                )


def _turns(rest: Rest) -> list[tuple[Turn, CandidateOutcome]]:
    made = rest.happened.outcomes
    return [
        (Turn(job, candidate), made[job.id][candidate.index][-1])
        for job in rest.plan.jobs
        for candidate in every_candidate(job, rest.happened)
        if candidate.index in made.get(job.id, {})
    ]


def _explained(check: PassCheck, code: list[Cause]) -> PassCheck:
    """Add to a pass that is not exact what may be why; near is good enough only where other code is why."""
    if check.verdict in {Verdict.EXACT, Verdict.MISSING, Verdict.UNPROVEN}:
        return check
    code = [] if check.bought else code
    verdict = check.verdict if code and not check.causes else Verdict.CHANGED
    causes = [*check.causes, *code]
    if not causes:
        taken = "it was taken from a cache that gave something else" if check.reused else ""
        together = "the picture and its record were altered together"
        causes = [Cause(kind=CauseKind.FILE, what=f"nothing on record explains it: {taken or together}")]
    return check.model_copy(update={"verdict": verdict, "causes": tuple(causes)})
