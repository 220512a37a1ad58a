"""A segmenter that asks a local model through rembg, and never lets it download one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kroma_nb.errors import BackendUnavailable, ProviderFailed
from kroma_nb.errors.root import shown
from kroma_nb.images import checked
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.providers.installed import installed_version, runtime_version
from kroma_nb.providers.onnx import single_threaded
from kroma_nb.providers.pinned import Pinned, pin
from kroma_nb.providers.sessions import session_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kroma_nb.images import Gray8, Rgb8
    from kroma_nb.model.backends import RembgOptions

BACKEND: Final = "rembg"
INSTALL: Final = "pip install 'kroma-nb[rembg]'"
METHOD: Final = "1"

LICENCES: Final[Mapping[str, str]] = {
    "u2net": "Apache-2.0",
    "u2netp": "Apache-2.0",
    "u2net_human_seg": "Apache-2.0",
    "isnet-anime": "Apache-2.0",
    "birefnet-general": "MIT",
    "birefnet-general-lite": "MIT",
    "birefnet-portrait": "MIT",
}
"""The models that may be asked, each with the licence of its weights; docs/backends.md says who gives it, and where."""


@dataclass(frozen=True)
class Rembg:
    """Asks one of `LICENCES` with rembg's own preparation of pictures and masks; nothing leaves this machine.

    Attributes
    ----------
    name : str
        The model; there is no default, as rembg's own has no free licence.
    model : Pinned
        Its file.
    """

    name: str
    model: Pinned

    @property
    def backend(self) -> str:
        """Its word in `CutoutBackend`."""
        return BACKEND

    @property
    def version(self) -> str:
        """Method, model, rembg and runtime."""
        packages = f"rembg {installed_version('rembg')} onnxruntime {runtime_version()}"
        return f"{METHOD} {self.name} {self.model.mark} {packages}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The model's name and whole hash."""
        return {"model": self.name, "model_sha256": self.model.sha256}

    def mask(self, picture: Rgb8) -> Gray8:
        """Tell figure from ground.

        Parameters
        ----------
        picture : uint8 array, shape (H, W, 3)
            sRGB, levels 0-255.

        Returns
        -------
        uint8 array, shape (H, W)
            255 is figure, 0 is ground.

        Raises
        ------
        ProviderFailed
            If rembg is not there, the model has changed or cannot be opened, or it finds no figure.
        """
        whole = checked(picture)
        if whole.ndim != 3 or whole.shape[2] != 3:
            raise ValueError(f"a segmenter takes pictures of shape (H, W, 3), not {whole.shape}")
        session = session_of((BACKEND, self.name, self.model), self._start)
        from rembg import remove  # noqa: PLC0415 - an extra, which the session has loaded

        try:
            # rembg divides by the height of an answer, which is 0 where it found nothing.
            with np.errstate(divide="raise", invalid="raise"):
                found = np.asarray(remove(whole, session=session, only_mask=True), np.uint8)
        except FloatingPointError as cause:
            raise ProviderFailed(BACKEND, "found no figure", "no_figure") from cause
        except Exception as cause:
            raise ProviderFailed(BACKEND, f"{self.name} fails: {cause}") from cause
        if found.shape != whole.shape[:2]:
            raise ProviderFailed(BACKEND, f"its mask has shape {found.shape} for a picture of {whole.shape[:2]}")
        return found.copy()

    def _start(self) -> Any:
        problem = _missing()
        if problem is not None:
            raise ProviderFailed(BACKEND, f"{problem}; {INSTALL}")
        self.model.check(BACKEND)
        import onnxruntime  # noqa: PLC0415 - an extra
        from rembg.sessions import sessions  # noqa: PLC0415 - as above

        path = str(self.model.path)
        base = sessions[self.name]
        # Where rembg would look for a model, and fetch one that it does not find, it is told which to take.
        local = type(base.__name__, (base,), {"download_models": classmethod(lambda _kind, *_, **__: path)})
        try:
            return local(self.name, single_threaded(onnxruntime), providers=["CPUExecutionProvider"])
        except Exception as cause:
            raise ProviderFailed(BACKEND, f"{shown(path)} cannot be opened: {cause}") from cause


def find_rembg(options: RembgOptions) -> Rembg:
    """Find the backend with the model that the options name, where rembg keeps its models.

    Raises
    ------
    BackendUnavailable
        If rembg or onnxruntime is not installed, no model is named or the named one is not allowed, or its file is not
        there.
    ContentDamaged
        If it is another.
    """
    problem = _missing()
    if problem is not None:
        raise BackendUnavailable("bg_remove", BACKEND, problem, INSTALL)
    name = options.model
    if name is None:
        raise BackendUnavailable("bg_remove", BACKEND, "no model is named", f"name one of {', '.join(LICENCES)}")
    if name not in LICENCES:
        problem = f"{name} is none of the models that may be used"
        raise BackendUnavailable("bg_remove", BACKEND, problem, did_you_mean(name, LICENCES).rstrip("?"))
    places = model_places(name)
    for place in places:
        if place.is_file():
            return Rembg(name, pin(place, role="the model of rembg", sha256=options.sha256))
    way_out = f"download it yourself and put it there as {shown(places[-1])}"
    raise BackendUnavailable("bg_remove", BACKEND, f"the model {name} is not on this machine", way_out)


def model_places(name: str) -> tuple[Path, ...]:
    """Give the files that rembg would take for a model, first choice first.

    ``U2NET_HOME`` names the folder; without it rembg has ``REMBG_HOME``, ``$XDG_DATA_HOME/rembg`` or ``~/.rembg``, and
    still looks into the older ``~/.u2net``.
    """
    data, named = os.environ.get("XDG_DATA_HOME"), os.environ.get("U2NET_HOME")
    flat = Path(named or Path(data or "~") / ".u2net").expanduser()
    home = flat if named else Path(os.environ.get("REMBG_HOME") or (Path(data) / "rembg" if data else "~/.rembg"))
    return (home.expanduser() / "models" / name / f"{name}.onnx", flat / f"{name}.onnx")


def _missing() -> str | None:
    # Importing rembg without onnxruntime ends the process, so both are looked for first.
    names = {"rembg": installed_version("rembg"), "onnxruntime": runtime_version()}
    absent = [name for name, found in names.items() if found is None]
    return f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed" if absent else None
