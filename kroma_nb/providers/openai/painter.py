"""The engine that buys pictures from OpenAI: one call where it is asked for one, and a check that buys nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import KromaError, ProviderFailed, SettingsInvalid
from kroma_nb.model.money import QUALITY_MARK
from kroma_nb.model.offer import Offer, size_of
from kroma_nb.model.paid import PaidAnswer, PaidRequest, Repeats
from kroma_nb.providers.openai.answers import read_answer, received
from kroma_nb.providers.openai.refusals import PROVIDER, hidden, refusal_of
from kroma_nb.settings.secrets import API_KEY, BASE_URL, ENV_FILE, IMAGE_SIZE, look_up, sources_of

if TYPE_CHECKING:
    from pathlib import Path

    from openai import OpenAI

    from kroma_nb.model.brief import Size
    from kroma_nb.model.paid import Attachment
    from kroma_nb.settings.secrets import Found

OFFICIAL_URL = "https://api.openai.com/v1"
ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
CONNECT_S = 30.0
"""How long a connection may take."""


@dataclass(frozen=True)
class Wish:
    """What a picture shall be.

    Attributes
    ----------
    prompt : str
    timeout_s : float, seconds
    size : Size or None
        None leaves it to the model.
    background : str
        ``transparent``, ``opaque``, or empty for the model's own choice.
    mask : Attachment or None
        A PNG of the first picture's size; where it is transparent, the picture may change.
    """

    prompt: str
    timeout_s: float
    size: Size | None = None
    background: str = ""
    mask: Attachment | None = None


@dataclass(frozen=True)
class Connection:
    """What a check of the connection has found.

    Attributes
    ----------
    says : str
        A sentence.
    code : str
        The provider's word for what is wrong.
    shuts_down : str
        The day on which the model answers no more, where the provider says one.
    """

    connected: bool
    says: str
    code: str = ""
    request_id: str = ""
    shuts_down: str = ""


@dataclass(frozen=True)
class OpenAIPainter:
    """A customer of OpenAI; it holds no key, and looks for one where a call is made.

    Each call has a client of its own: threads and forked processes share none, and a key that was changed holds from
    the next call on. Opening one takes 25 ms, where a picture takes many seconds.

    Attributes
    ----------
    model : str
        ``MODEL`` or ``MODEL:QUALITY``.
    offer : Offer
        What the model takes.
    home : Path or None
        The workspace whose ``.env`` may hold the key.
    """

    model: str
    offer: Offer = field(default_factory=Offer)
    home: Path | None = None
    provider: str = PROVIDER
    version: str = "1"

    @property
    def repeats(self) -> Repeats:
        """A second call is a second bill: OpenAI takes no key for it."""
        return Repeats.NOTHING

    def send(self, request: PaidRequest) -> PaidAnswer:
        """Buy what a run asks for: the scene first, then its references in order.

        Raises
        ------
        ProviderBusy, ProviderFailed, AnswerLost, AnswerUnusable
            As `kroma_nb.model.paid.PaidPainter.send` says.
        """
        wish = Wish(request.brief.prompt, request.timeout_s, request.brief.size)
        return self.edit(wish, (request.scene, *request.references))

    def ask(self, request: PaidRequest) -> PaidAnswer | None:
        """Give nothing: OpenAI cannot be asked what became of a call."""
        raise ProviderFailed(PROVIDER, f"it cannot be asked about call {request.call_id}")

    def edit(self, wish: Wish, pictures: tuple[Attachment, ...]) -> PaidAnswer:
        """Buy a picture that is made from others; the first one is what a mask lies over.

        Raises
        ------
        ProviderBusy, ProviderFailed, AnswerLost, AnswerUnusable
            As `send` does.
        """
        most = self.offer.most_pictures
        if not pictures or (most is not None and len(pictures) > most):
            problem = f"{self.model} takes 1 to {most or 'any number of'} pictures, not {len(pictures)}"
            raise ProviderFailed(PROVIDER, problem, "invalid_pictures")
        fields = self._fields(wish) | {"image": [_file(one) for one in pictures]}
        if self.offer.fidelity:
            fields["input_fidelity"] = self.offer.fidelity
        if wish.mask is not None:
            fields["mask"] = _file(wish.mask)
        return self._bought("edit", fields, wish.timeout_s)

    def generate(self, wish: Wish) -> PaidAnswer:
        """Buy a picture that is made from words alone; its size may stand in ``OPENAI_IMAGE_SIZE``.

        Raises
        ------
        ProviderBusy, ProviderFailed, AnswerLost, AnswerUnusable
            As `send` does.
        """
        if wish.mask is not None:
            raise ProviderFailed(PROVIDER, "a mask lies over a picture, and there is none; use `edit`")
        size = wish.size or self.usual_size()
        named = Wish(wish.prompt, wish.timeout_s, size, wish.background)
        return self._bought("generate", self._fields(named), wish.timeout_s)

    def usual_size(self) -> Size | None:
        """Give the size in ``OPENAI_IMAGE_SIZE``; None where there is none.

        Raises
        ------
        ProviderFailed
            If it is no size.
        """
        found = self._found(IMAGE_SIZE)
        if found is None or found.text == "auto":
            return None
        try:
            return size_of(found.text)
        except ValueError:
            problem = f"{IMAGE_SIZE} from {found.where} is no size; write it as 1024x1536"
        raise ProviderFailed(PROVIDER, problem, "invalid_size")

    def check(self, timeout_s: float = 20.0) -> Connection:
        """Ask for the model's name: that shows whether key, address and model are right, and costs nothing."""
        try:
            key = self._key()
            with self._client(key, timeout_s) as client:
                return self._looked_up(client, key)
        except KromaError as refused:
            return Connection(
                connected=False,
                says=str(refused),
                code=refused.error_code,
                request_id=getattr(refused, "request_id", ""),
            )

    def _looked_up(self, client: OpenAI, key: Found) -> Connection:
        name, _ = self._named()
        try:
            answer = client.models.with_raw_response.retrieve(name)
            until = getattr(answer.parse(), "shutdown_date", None)
        except Exception as cause:  # noqa: BLE001 - whatever the SDK raises, it says whether there is a connection
            refused = refusal_of(cause, key)
        else:
            says = f"OpenAI knows {API_KEY} from {key.where}, and {name}."
            shown = hidden(until, key) if isinstance(until, str) else ""
            return Connection(True, says, request_id=answer.headers.get("x-request-id", ""), shuts_down=shown)
        raise refused

    def _fields(self, wish: Wish) -> dict[str, Any]:
        """Give what is sent besides pictures; what the model is not known to take is left out or refused."""
        name, quality = self._named()
        if not wish.prompt.strip():
            raise ProviderFailed(PROVIDER, "the prompt is empty; say what is to be drawn", "empty_prompt")
        if wish.size is not None and not self.offer.takes(wish.size):
            near = " or ".join(map(str, self.offer.nearest(wish.size)))
            raise ProviderFailed(PROVIDER, f"{name} does not draw {wish.size}; ask for {near}", "invalid_size")
        if wish.background and wish.background not in self.offer.backgrounds:
            raise ProviderFailed(PROVIDER, f"{name} has no {wish.background} background", "invalid_background")
        fields: dict[str, Any] = {"model": name, "prompt": wish.prompt, "output_format": "png"}
        said = {"quality": quality, "size": str(wish.size or ""), "background": wish.background}
        return fields | {field: value for field, value in said.items() if value}

    def _named(self) -> tuple[str, str]:
        """Part the model's name from its quality; a mark in the name of a model without qualities is its own."""
        name, _, quality = self.model.rpartition(QUALITY_MARK)
        return (name, quality) if quality in self.offer.qualities else (self.model, "")

    def _bought(self, kind: str, fields: dict[str, Any], timeout_s: float) -> PaidAnswer:
        key = self._key()
        with self._client(key, timeout_s) as client:
            call = getattr(client.images.with_streaming_response, kind)
            try:
                with call(**fields) as response:
                    return read_answer(received(response, timeout_s, key), self.offer.tokens)
            except KromaError:
                raise
            except Exception as cause:  # noqa: BLE001 - whatever went wrong after sending, the call has an end
                refused = refusal_of(cause, key)
        # Outside of the handler: what the SDK has raised holds the request with its headers, and stays behind.
        raise refused

    def _found(self, name: str) -> Found | None:
        """Look a variable up; where that fails, nothing was sent, and that is what the error says."""
        try:
            return look_up(name, sources_of(self.home))
        except SettingsInvalid as cause:
            problem = str(cause)
        raise ProviderFailed(PROVIDER, problem, SettingsInvalid.error_code)

    def _key(self) -> Found:
        found = self._found(API_KEY)
        if found is None:
            file = "" if self.home is None else f", or as {API_KEY}=… in {self.home / ENV_FILE}"
            raise ProviderFailed(PROVIDER, f"there is no key; set {API_KEY} in the environment{file}", "key_missing")
        # What no header can hold would be shown by whoever refuses to send it.
        if not found.text.isascii() or not found.text.isprintable() or " " in found.text:
            problem = f"{API_KEY} from {found.where} holds characters that no key has; copy it again"
            raise ProviderFailed(PROVIDER, problem, "invalid_api_key")
        return found

    def _client(self, key: Found, timeout_s: float) -> OpenAI:
        address = self._found(BASE_URL)
        try:
            import openai  # noqa: PLC0415 - the SDK loads when a picture is asked for

            timeout = openai.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s))
            return openai.OpenAI(
                api_key=key.secret.reveal(),
                base_url=OFFICIAL_URL if address is None else address.text,
                max_retries=0,
                timeout=timeout,
                # Pictures and key go where they were sent, and nowhere else.
                http_client=openai.DefaultHttpxClient(follow_redirects=False, timeout=timeout),
            )
        except ImportError as cause:
            raise ProviderFailed(PROVIDER, f"its SDK cannot be loaded ({cause.name}); pip install openai") from None
        except Exception as cause:  # noqa: BLE001 - nothing was sent, and what it holds is not shown
            problem = f"its address cannot be used: {type(cause).__name__}; correct {BASE_URL}"
        raise ProviderFailed(PROVIDER, problem, "invalid_address")


def _file(picture: Attachment) -> tuple[str, bytes, str]:
    """Give a picture as a part of a form, whose name ends as its content says."""
    ending = ENDINGS.get(picture.media_type, "")
    name = picture.name if picture.name.endswith(ending) else picture.name + ending
    return name, picture.data, picture.media_type
