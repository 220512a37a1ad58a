"""remove.bg's paid cut-out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.errors import KromaError, ProviderFailed
from kroma_nb.images import probe
from kroma_nb.model.paid import Attachment, PaidAnswer, Repeats
from kroma_nb.model.paid_finishing import AccountState
from kroma_nb.model.postprocess import CutoutBackend, PictureFormat
from kroma_nb.providers.remote_cutout import (
    TIMEOUT_S,
    Parcel,
    Reply,
    Service,
    account,
    buy,
    fields_of,
    number_in,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROVIDER: Final = CutoutBackend.REMOVEBG.value
KEY_VARIABLE: Final = "REMOVE_BG_API_KEY"
ADDRESS_VARIABLE: Final = "REMOVE_BG_API_URL"
ENDPOINT: Final = "https://api.remove.bg/v1.0/removebg"
ACCOUNT: Final = "https://api.remove.bg/v1.0/account"
FORMATS: Final = (PictureFormat.PNG,)
_COUNTED = {"credits_charged": "x-credits-charged", "width": "x-width", "height": "x-height"}


@dataclass(frozen=True)
class RemoveBg:
    """A customer of remove.bg.

    Attributes
    ----------
    key : callable
        Gives the key when a call is made; picklable, and no part of this value's repr or of what it equals.
    size : str
        ``full`` (as large as the picture, up to 10 megapixels) or ``preview`` (0.25 megapixels). Blank or ``auto`` is
        not sent, and the service then gives a preview; the answer's notes say so.
    format : PictureFormat
        PNG; a JPEG has no transparency, and a WebP is not in the service's list.
    crop : bool
        Whether empty borders are cut off; then the answer has another size than the picture.
    endpoint, account_url : str
        Where it is met, unless ``REMOVE_BG_API_URL`` names another server.

    References
    ----------
    https://www.remove.bg/api and its swagger.yaml (Background Removal API 1.0.0).
    """

    key: Callable[[], str] = field(repr=False, compare=False)
    size: str = "full"
    format: PictureFormat = PictureFormat.PNG
    crop: bool = False
    endpoint: str = ENDPOINT
    account_url: str = ACCOUNT
    provider: str = PROVIDER
    model: str = "removebg-v1.0"
    version: str = "1"

    def __post_init__(self) -> None:
        """Refuse what could not be a cut-out.

        Raises
        ------
        RequestInvalid
            If the format has no transparency or is not the service's, or the size is no word.
        """
        refuse(PROVIDER, self.size, self.format, known=FORMATS)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is asked for beside the picture."""
        return fields_of(self.size, self.format, crop=self.crop)

    @property
    def repeats(self) -> Repeats:
        """A second call is a second bill."""
        return Repeats.NOTHING

    def send(self, call_id: str, picture: Attachment, timeout_s: float = TIMEOUT_S) -> PaidAnswer:
        """Buy a cut-out; see `PaidCutter.send`."""
        fields = fields_of(self.size, self.format, crop=self.crop)
        reply = buy(self._service, self.key, Parcel(call_id, picture, fields, timeout_s))
        counted = {name: number_in(reply.headers, header) for name, header in _COUNTED.items()}
        usage = {name: number for name, number in counted.items() if number is not None}
        return PaidAnswer(reply.data, request_id=reply.request_id, usage=usage, notes=self._notes(picture, reply))

    def check(self, timeout_s: float = TIMEOUT_S) -> AccountState:
        """Ask how many credits are left; see `PaidCutter.check`."""
        found = account(self._service, self.key, timeout_s)
        try:
            return AccountState(PROVIDER, float(found["data"]["attributes"]["credits"]["total"]), "credits")
        except (KeyError, TypeError, ValueError):
            raise ProviderFailed(PROVIDER, "it does not say how many credits are left", "bad_answer") from None

    @property
    def _service(self) -> Service:
        return Service(PROVIDER, self.endpoint, self.account_url, "X-Api-Key", KEY_VARIABLE, ADDRESS_VARIABLE)

    def _notes(self, picture: Attachment, reply: Reply) -> tuple[str, ...]:
        """Say it where the cut-out is smaller than the picture."""
        try:
            sent, came = probe(picture.data), probe(reply.data)
        except KromaError:
            return ()
        if self.crop or (came.width, came.height) == (sent.width, sent.height):
            return ()
        sizes = f"a cut-out of {came.width} x {came.height} pixels for a picture of {sent.width} x {sent.height}"
        return (f"{PROVIDER} sent {sizes}; ask for size full, and for pictures of at most 10 megapixels.",)
