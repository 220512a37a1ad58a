"""The paid engine that buys from the practice shop: one call where it is asked for one."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass

import httpx

from kroma_nb.errors import AnswerLost, ProviderBusy, ProviderFailed
from kroma_nb.model.money import Money
from kroma_nb.model.paid import PaidAnswer, PaidRequest, Repeats
from kroma_nb.providers.practice.shop import COST, HOST, MODEL, PROVIDER, REQUEST, URL


@dataclass(frozen=True)
class PracticePainter:
    """A customer of the practice shop; whoever opens a shop is its only seller, so no real money can be spent."""

    provider: str = PROVIDER
    model: str = MODEL
    version: str = "1"

    @property
    def repeats(self) -> Repeats:
        """A second call is a second bill, as with providers that take no key."""
        return Repeats.NOTHING

    def send(self, request: PaidRequest) -> PaidAnswer:
        """Buy a picture.

        Raises
        ------
        ProviderBusy
            If the shop cannot be reached.
        ProviderFailed
            If no shop is open, or it refuses.
        AnswerLost
            If no answer came.
        """
        body = {
            "call_id": request.call_id,
            "brief": request.brief.model_dump(mode="json"),
            "scene": base64.b64encode(request.scene.data).decode(),
        }
        try:
            # The proxies of this machine are for other machines.
            answer = httpx.post(_address(), json=body, timeout=request.timeout_s, trust_env=False)
        except (httpx.ConnectError, httpx.ConnectTimeout) as cause:
            raise ProviderBusy(PROVIDER, f"the shop cannot be reached: {cause}") from cause
        except httpx.HTTPError as cause:
            raise AnswerLost(PROVIDER, f"no answer came: {type(cause).__name__}") from cause
        if answer.status_code != httpx.codes.OK:
            raise ProviderFailed(PROVIDER, f"the shop refuses: {answer.text}")
        return PaidAnswer(
            answer.content,
            request_id=answer.headers[REQUEST],
            answered_by=MODEL,
            usage={"pictures": 1},
            cost=Money(micro_usd=int(answer.headers[COST])),
        )

    def ask(self, request: PaidRequest) -> PaidAnswer | None:
        """Give nothing: the shop cannot be asked."""
        raise ProviderFailed(PROVIDER, f"the shop cannot be asked about call {request.call_id}")


def _address() -> str:
    address = os.environ.get(URL, "")
    if not address.startswith(f"http://{HOST}:"):
        problem = "no practice shop is open here; `kroma_nb.workbench.open_practice` opens one"
        raise ProviderFailed(PROVIDER, f"{problem}, and another process finds it by the variable {URL}")
    return f"{address}/pictures"
