"""A segmenter that asks a local U²-Net style model, through onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from kroma_nb.errors import BackendUnavailable, ProviderFailed
from kroma_nb.images import checked, resize
from kroma_nb.providers.installed import runtime_version
from kroma_nb.providers.pinned import Pinned, pin
from kroma_nb.providers.sessions import session_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from kroma_nb.images import Gray8, Rgb8
    from kroma_nb.model.backends import OnnxOptions

BACKEND: Final = "onnx"
INSTALL: Final = "pip install 'kroma-nb[onnx]'"
METHOD: Final = "1"
"""Changes whenever the same picture and model would give another mask."""

# What the published weights were trained with: the mean and deviation of ImageNet's red, green and blue.
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
# The size that U²-Net was published for, where a model leaves it open.
_SIDE_PX = 320
# An answer that stays within one level of 255 tells nothing apart; stretched, it would be noise.
_FLAT = 1 / 255


@dataclass(frozen=True)
class Onnx:
    """Asks a model that lies on this machine; nothing leaves it.

    The picture is scaled to the model's size and normalised as U²-Net's authors publish it; the answer is stretched
    between its least and greatest value, and scaled back without steps. One session serves all threads of a process;
    it works on one core, so that the same machine gives the same bytes whatever else it does.

    Attributes
    ----------
    model : Pinned
        An ``.onnx`` file that holds all of its weights.

    References
    ----------
    X. Qin, Z. Zhang, C. Huang, M. Dehghan, O. R. Zaiane, M. Jagersand, U²-Net: Going deeper with nested U-structure for
    salient object detection, Pattern Recognition 106 (2020), 107404; normalisation as in its ``data_loader.py``.
    """

    model: Pinned

    @property
    def backend(self) -> str:
        """Its word in `CutoutBackend`."""
        return BACKEND

    @property
    def version(self) -> str:
        """Method, model and runtime; processors with other instructions may still differ by a level."""
        return f"{METHOD} model {self.model.mark} onnxruntime {runtime_version()}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The model's whole hash."""
        return {"model_sha256": self.model.sha256}

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
            If the model has changed since it was chosen, is none of this kind, or finds no figure.
        """
        whole = checked(picture)
        if whole.ndim != 3 or whole.shape[2] != 3:
            raise ValueError(f"a segmenter takes pictures of shape (H, W, 3), not {whole.shape}")
        session = session_of((BACKEND, self.model.sha256), self._start)
        entry = session.get_inputs()[0]
        width, height = _size_of(entry)
        try:
            answer = session.run(None, {entry.name: normalised(whole, (width, height))})[0]
        except Exception as cause:
            raise ProviderFailed(BACKEND, f"{self.model.path.name} fails: {_first_line(cause)}") from cause
        return stretched(np.asarray(answer, np.float32), (whole.shape[1], whole.shape[0]))

    def _start(self) -> Any:
        data = self.model.read(BACKEND)
        try:
            import onnxruntime  # noqa: PLC0415 - an extra
        except ImportError as cause:
            raise ProviderFailed(BACKEND, f"onnxruntime cannot be loaded: {cause}; {INSTALL}") from cause
        try:
            # The bytes that were verified are the bytes that are used.
            return onnxruntime.InferenceSession(data, single_threaded(onnxruntime), providers=["CPUExecutionProvider"])
        except Exception as cause:
            raise ProviderFailed(BACKEND, f"{self.model.path.name} cannot be opened: {_first_line(cause)}") from cause


def find_onnx(options: OnnxOptions) -> Onnx:
    """Find the backend with the model that the options name.

    Raises
    ------
    BackendUnavailable
        If onnxruntime is not installed, or no model is named.
    FileMissing, ContentDamaged
        If the model is not there, or is another.
    """
    if runtime_version() is None:
        raise BackendUnavailable("bg_remove", BACKEND, "onnxruntime is not installed", INSTALL)
    if options.model is None:
        raise BackendUnavailable("bg_remove", BACKEND, "no model is named", "name a U²-Net style .onnx file of yours")
    return Onnx(pin(options.model, role="the model of onnx", sha256=options.sha256))


def single_threaded(onnxruntime: Any) -> Any:
    """Give options for a session that uses one core, repeats itself, and keeps its warnings to itself."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    return options


def normalised(picture: Rgb8, size: tuple[int, int]) -> NDArray[np.float32]:
    """Give a picture as U²-Net takes it.

    Parameters
    ----------
    picture : uint8 array, shape (H, W, 3)
    size : (width, height), pixels

    Returns
    -------
    float32 array, shape (1, 3, height, width)
        Levels divided by the greatest one, less the mean, in deviations.

    Examples
    --------
    >>> flat = normalised(np.full((4, 4, 3), 200, np.uint8), (2, 2))
    >>> [round(float(level), 3) for level in flat[0, :, 0, 0]]
    [2.249, 2.429, 2.64]
    """
    height, width = picture.shape[:2]
    # What shrinks goes by area, also where the other side grows.
    small = resize(resize(picture, (min(width, size[0]), min(height, size[1]))), size).astype(np.float32)
    levels = (small / max(float(small.max()), 1e-6) - _MEAN) / _DEVIATION
    return np.ascontiguousarray(levels.transpose(2, 0, 1)[None], np.float32)


def _size_of(entry: Any) -> tuple[int, int]:
    """Give the width and height that a model asks for; a side that it leaves open is U²-Net's."""
    shape = list(entry.shape)
    colours = shape[1] if len(shape) == 4 else 0
    if entry.type != "tensor(float)" or (colours != 3 and isinstance(colours, int)):
        found = f"its input is {entry.type} of shape {shape}"
        raise ProviderFailed(BACKEND, f"this is no U²-Net style model: {found}, not tensor(float) of [1, 3, H, W]")
    height, width = (side if isinstance(side, int) and side > 0 else _SIDE_PX for side in shape[2:])
    return width, height


def stretched(answer: NDArray[np.float32], size: tuple[int, int]) -> Gray8:
    """Make a mask of a model's answer, shape (1, 1, h, w), at a picture's size."""
    height, width = answer.shape[-2:] if answer.ndim >= 2 else (0, 0)
    if answer.size == 0 or answer.size != height * width:
        raise ProviderFailed(BACKEND, f"this is no U²-Net style model: its first answer has shape {list(answer.shape)}")
    plane = answer.reshape(height, width)
    low, high = float(plane.min()), float(plane.max())
    # Written so that an answer that is no number is flat as well.
    if not _FLAT <= high - low < np.inf:
        raise ProviderFailed(BACKEND, "found no figure", "no_figure")
    shrinks = size[0] <= width and size[1] <= height
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    mask = cv2.resize((plane - low) / (high - low), size, interpolation=way)
    return np.asarray(np.floor(np.clip(mask, 0.0, 1.0) * 255.0 + 0.5), np.uint8)


def _first_line(cause: Exception) -> str:
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:300]
