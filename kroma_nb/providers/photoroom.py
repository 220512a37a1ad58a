"""Photoroom's paid cut-out: its Remove Background API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.errors import ProviderFailed
from kroma_nb.model.paid import Attachment, PaidAnswer, Repeats
from kroma_nb.model.paid_finishing import AccountState
from kroma_nb.model.postprocess import CutoutBackend, PictureFormat
from kroma_nb.providers.remote_cutout import TIMEOUT_S, Parcel, Service, account, buy, fields_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROVIDER: Final = CutoutBackend.PHOTOROOM.value
KEY_VARIABLE: Final = "PHOTOROOM_API_KEY"
ADDRESS_VARIABLE: Final = "PHOTOROOM_API_URL"
ENDPOINT: Final = "https://sdk.photoroom.com/v1/segment"
ACCOUNT: Final = "https://image-api.photoroom.com/v2/account"
FORMATS: Final = (PictureFormat.PNG, PictureFormat.WEBP)


@dataclass(frozen=True)
class Photoroom:
    """A customer of Photoroom.

    It has no sandbox here: every call is billed, unless it ends in an error.

    Attributes
    ----------
    key : callable
        Gives the key when a call is made; picklable, and no part of this value's repr or of what it equals.
    size : str
        ``full``, or ``preview`` of 0.25 megapixels; blank or ``auto`` is not sent, and leaves it to the service.
    format : PictureFormat
        PNG or WebP; a JPEG has no transparency.
    crop : bool
        Whether empty borders are cut off; then the answer has another size than the picture.
    endpoint, account_url : str
        Where it is met, unless ``PHOTOROOM_API_URL`` names another server.

    References
    ----------
    https://docs.photoroom.com: Remove Background API, How can I check my API usage?, Pricing (read in November 2026).
    """

    key: Callable[[], str] = field(repr=False, compare=False)
    size: str = "auto"
    format: PictureFormat = PictureFormat.PNG
    crop: bool = False
    endpoint: str = ENDPOINT
    account_url: str = ACCOUNT
    provider: str = PROVIDER
    model: str = "segment-v1"
    version: str = "1"

    def __post_init__(self) -> None:
        """Refuse what could not be a cut-out.

        Raises
        ------
        RequestInvalid
            If the format has no transparency, or the size is no word.
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
        return PaidAnswer(reply.data, request_id=reply.request_id)

    def check(self, timeout_s: float = TIMEOUT_S) -> AccountState:
        """Ask how many pictures are left; see `PaidCutter.check`."""
        found = account(self._service, self.key, timeout_s)
        try:
            left, plan = found["images"]["available"], found.get("plan")
            return AccountState(PROVIDER, float(left), "pictures", plan if isinstance(plan, str) else "")
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ProviderFailed(PROVIDER, "it does not say how many pictures are left", "bad_answer") from None

    @property
    def _service(self) -> Service:
        return Service(PROVIDER, self.endpoint, self.account_url, "x-api-key", KEY_VARIABLE, ADDRESS_VARIABLE)
