"""OpenAI's engine against a server that takes what is documented and nothing else."""

from __future__ import annotations

import hashlib
import json
import pickle
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from openai.types import ImagesResponse
from openai_server import KEY, OpenAIServer, openai_server
from providers.openai_shop import HERO, SCENE, STYLE, painter, place, request, told

from kroma_nb import images
from kroma_nb.errors import AnswerLost, AnswerUnusable, ProviderBusy, ProviderFailed
from kroma_nb.model.brief import Size
from kroma_nb.model.money import Money
from kroma_nb.model.paid import Attachment, Repeats
from kroma_nb.planning import load_catalog
from kroma_nb.providers.openai import OpenAIPainter, Wish
from kroma_nb.run.answers import bounded

ALIVE = [card for card in load_catalog().models if card.provider == "openai" and card.offer and card.offer.qualities]
ITS_OWN = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_IMAGE_MODEL", "OPENAI_IMAGE_SIZE", "OPENAI_IMAGE_QUALITY")


@pytest.fixture(autouse=True)
def _no_other_keys(monkeypatch) -> None:
    for name in (*ITS_OWN, "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def shop() -> Iterator[OpenAIServer]:
    with openai_server() as running:
        yield running


@pytest.fixture
def server(shop: OpenAIServer) -> OpenAIServer:
    shop.script.clear()
    shop.calls.clear()
    shop.key = KEY
    return shop


@pytest.fixture
def home(server: OpenAIServer, tmp_path: Path) -> Path:
    return place(tmp_path / "home", server.url)


# What the multipart body of an edit holds: fields by name, then files in the order in which they were sent.
GOLDEN_EDIT = """\
--B
Content-Disposition: form-data; name="input_fidelity"

high
--B
Content-Disposition: form-data; name="model"

gpt-image-1.5
--B
Content-Disposition: form-data; name="output_format"

png
--B
Content-Disposition: form-data; name="prompt"

Ink it.
--B
Content-Disposition: form-data; name="quality"

medium
--B
Content-Disposition: form-data; name="size"

1024x1536
--B
Content-Disposition: form-data; name="image[]"; filename="scene.png"
Content-Type: image/png

\\x89PNG scene
--B
Content-Disposition: form-data; name="image[]"; filename="style_1.jpg"
Content-Type: image/jpeg

\\xff\\xd8 style
--B
Content-Disposition: form-data; name="image[]"; filename="character_1.webp"
Content-Type: image/webp

RIFF hero
--B--
"""


def normal(raw: bytes) -> str:
    """Give a multipart body with the boundary B, its fields sorted and its files in order."""
    boundary = raw[: raw.index(b"\r\n")]
    *parts, last = raw.split(boundary)[1:]
    fields = sorted(part for part in parts if b"filename=" not in part)
    files = [part for part in parts if b"filename=" in part]
    assert last.strip() == b"--"
    body = b"--B" + b"--B".join([*fields, *files]) + b"--B--\n"
    return body.replace(b"\r\n", b"\n").decode("ascii", "backslashreplace")


def test_an_edit_sends_the_scene_first_and_its_references_in_order_and_nothing_else(server, home) -> None:
    painter(home, "gpt-image-1.5:medium").send(request(STYLE, HERO, size="1024x1536"))

    (call,) = server.calls
    assert call.path == "/v1/images/edits"
    assert normal(call.raw) == GOLDEN_EDIT


def test_a_picture_of_words_alone_is_generated(server, home) -> None:
    painter(home).generate(Wish("A lamp.", 10, Size(width=1536, height=1024), background="opaque"))

    (call,) = server.calls
    assert call.path == "/v1/images/generations"
    assert json.loads(call.raw) == {
        "model": "gpt-image-2.6-flare",
        "prompt": "A lamp.",
        "quality": "low",
        "size": "1536x1024",
        "background": "opaque",
        "output_format": "png",
    }


def test_a_mask_goes_beside_the_pictures(server, home) -> None:
    mask = Attachment("mask.png", "image/png", b"\x89PNG mask")

    painter(home).edit(Wish("Ink it.", 10, mask=mask), (SCENE, STYLE))

    files = [(part.name, part.filename, part.data) for part in server.calls[0].parts if part.filename]
    assert ("mask", "mask.png", b"\x89PNG mask") in files
    assert [name for name, *_ in files].count("image[]") == 2
    with pytest.raises(ProviderFailed, match="a mask lies over a picture"):
        painter(home).generate(Wish("A lamp.", 10, mask=mask))


@pytest.mark.parametrize("card", ALIVE, ids=lambda card: card.model)
def test_what_the_catalog_says_of_a_model_is_taken_by_it(card, server, home) -> None:
    wide = "1536x864" if card.offer.free else "1536x1024"
    for quality in (card.offer.qualities[0], card.offer.qualities[-1]):
        painter(home, f"{card.model}:{quality}").send(request(STYLE, size=wide))
    for background in card.offer.backgrounds:
        painter(home, card.model).edit(Wish("Ink it.", 10, background=background), (SCENE,))

    assert server.bills == 2 + len(card.offer.backgrounds)


def test_what_came_is_kept_with_all_that_was_said_of_it(server, home) -> None:
    answer = painter(home).send(request(STYLE))

    assert images.load(answer.data).shape[:2] == (1024, 1024)
    assert (answer.request_id, answer.answered_by) == ("req_1", "gpt-image-2.6-flare-2026-11-01")
    assert answer.usage["input_tokens_details"] == {"text_tokens": 40, "image_tokens": 500}
    assert (answer.usage["size"], answer.usage["quality"]) == ("1024x1024", "low")
    # 40 at $5, 500 at $8 and 1000 at $30 a million: the model page of gpt-image-2.6-sunburst.
    assert answer.cost == Money(micro_usd=200 + 4_000 + 30_000)
    assert bounded(answer, "openai") == answer


def test_words_that_the_provider_has_put_in_place_of_ours_are_told(server, home) -> None:
    server.script.append("revised")

    answer = painter(home).send(request())

    assert answer.usage["revised_prompt"] == "A lamp, drawn in ink."
    assert answer.notes == ("OpenAI has drawn after words of its own: A lamp, drawn in ink.",)


def test_without_a_count_of_tokens_the_cost_is_not_guessed(server, home) -> None:
    server.script.append("uncounted")

    assert painter(home).send(request()).cost is None


REFUSED = {
    "limit": (ProviderBusy, "rate_limit_exceeded", 0.0),
    "limit-ms": (ProviderBusy, "rate_limit_exceeded", 0.01),
    "wait": (ProviderBusy, "rate_limit_exceeded", 3600.0),
    "down": (ProviderBusy, "server_error", 0.0),
    "broken": (ProviderBusy, "server_error", None),
    "quota": (ProviderFailed, "insufficient_quota", None),
    "credit": (ProviderFailed, "credit_balance_exhausted", None),
    "moderation": (ProviderFailed, "moderation_blocked", None),
    "echo": (ProviderFailed, "invalid_api_key", None),
    "verify": (ProviderFailed, "invalid_request_error", None),
    "elsewhere": (ProviderFailed, "http_307", None),
    "gateway": (AnswerLost, "in_doubt", None),
}


@pytest.mark.parametrize("word", REFUSED)
def test_a_refusal_is_of_its_kind_names_the_call_and_is_never_repeated(word, server, home) -> None:
    kind, code, wait_s = REFUSED[word]
    server.script.append(word)

    with pytest.raises(ProviderFailed) as caught:
        painter(home).send(request(STYLE))

    error = caught.value
    assert type(error) is kind
    assert (error.error_code, error.request_id) == (code, "req_1")
    assert getattr(error, "retry_after_s", None) == wait_s
    assert (len(server.calls), server.bills) == (1, 0)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    # What the SDK has raised holds the request with its headers, and hangs on nothing of ours.
    assert (error.__cause__, error.__context__) == (None, None)


def test_who_was_refused_for_the_key_is_told_where_it_stands_and_not_what_it_is(server, home) -> None:
    server.script.append("echo")

    with pytest.raises(ProviderFailed) as caught:
        painter(home).send(request())

    said = f"openai: HTTP 401 with OPENAI_API_KEY from {home / '.env'}: Incorrect API key provided: [hidden]. [hidden]."
    assert str(caught.value) == said
    assert KEY not in told(caught.value)


LOST = ("cut", "half", "hang", "slowly")


@pytest.mark.parametrize("word", LOST)
def test_a_call_whose_answer_does_not_come_is_in_doubt(word, server, home) -> None:
    server.script.append(word)

    with pytest.raises(AnswerLost) as caught:
        painter(home).send(request(timeout_s=1.0))

    assert (len(server.calls), server.bills) == (1, 1)
    assert caught.value.request_id == ("req_1" if word in {"half", "slowly"} else "")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert KEY not in told(caught.value)


def test_an_answer_that_has_begun_in_time_is_not_thrown_away(server, home) -> None:
    server.script.append("late")

    answer = painter(home).send(request(timeout_s=1.0))

    assert images.load(answer.data).shape[:2] == (1024, 1024)


UNUSABLE = {
    "nothing": "holds no picture",
    "url": "holds an address in place of a picture",
    "rubbish": "no base64",
    "html": "no JSON object",
    "list": "no JSON object",
}


@pytest.mark.parametrize("word", UNUSABLE)
def test_an_answer_without_a_picture_is_kept_with_its_request_id(word, server, home) -> None:
    server.script.append(word)

    with pytest.raises(AnswerUnusable, match=UNUSABLE[word]) as caught:
        painter(home).send(request())

    assert (len(server.calls), server.bills) == (1, 1)
    assert caught.value.request_id == "req_1"
    assert b"[hidden]" in caught.value.data
    assert KEY.encode() not in caught.value.data
    assert KEY not in told(caught.value)


def test_what_the_server_answers_is_what_the_sdk_describes(server, home) -> None:
    import openai

    with openai.OpenAI(api_key=KEY, base_url=server.url, max_retries=0) as client:
        answer = client.images.edit(image=[("a.png", b"a", "image/png")], prompt="Ink it.", model="gpt-image-2")

    assert isinstance(answer, ImagesResponse)
    assert answer.usage.input_tokens_details.image_tokens == 500
    with openai.OpenAI(api_key=KEY, base_url=server.url, max_retries=0) as client:
        for wrong in ({"quality": "max"}, {"input_fidelity": "high"}, {"size": "1000x1000"}, {"complexity": "low"}):
            asked = {"image": [("a.png", b"a", "image/png")], "prompt": "Ink it.", "model": "gpt-image-2", **wrong}
            with pytest.raises(openai.BadRequestError):
                client.images.edit(**asked)


def test_nobody_there_means_busy(tmp_path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        home = place(tmp_path, f"http://127.0.0.1:{closed.getsockname()[1]}/v1")

        with pytest.raises(ProviderBusy, match="cannot be reached") as caught:
            painter(home).send(request())

    assert KEY not in told(caught.value)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/v1", "127.0.0.1"])
def test_an_address_that_is_none_is_named(address, tmp_path) -> None:
    with pytest.raises(ProviderFailed, match="OPENAI_BASE_URL") as caught:
        painter(place(tmp_path, address)).send(request())

    assert type(caught.value) is ProviderFailed
    assert KEY not in told(caught.value)


@pytest.mark.parametrize("value", ["sk two", "sk-\u00e9\u00e9\u00e9", "sk-a\tb"])
def test_a_key_that_no_header_can_hold_is_not_sent_and_not_shown(value, server, home) -> None:
    place(home, server.url, OPENAI_API_KEY=value)

    with pytest.raises(ProviderFailed, match="holds characters that no key has") as caught:
        painter(home).send(request())

    assert server.calls == []
    assert value not in told(caught.value)


def test_without_a_key_nothing_is_sent_and_both_places_are_named(server, tmp_path) -> None:
    with pytest.raises(ProviderFailed, match=r"in the environment, or as OPENAI_API_KEY=… in .*\.env"):
        painter(tmp_path).send(request())

    assert server.calls == []


def test_where_the_place_of_the_key_cannot_be_read_nothing_was_sent_and_nothing_is_in_doubt(server, home) -> None:
    (home / ".env").write_bytes(KEY.encode() + b"=\xff")

    with pytest.raises(ProviderFailed, match="not UTF-8") as caught:
        painter(home).send(request())

    assert (type(caught.value), caught.value.error_code) == (ProviderFailed, "invalid_settings")
    assert server.calls == []
    assert KEY not in told(caught.value)


def test_a_mark_in_the_name_of_a_model_without_qualities_is_its_own(server, home) -> None:
    found = OpenAIPainter("studio:7", home=home).check()

    assert "'studio:7' does not exist" in found.says


def test_what_a_model_does_not_take_is_not_sent(server, home) -> None:
    mini = painter(home, "gpt-image-1-mini:low")
    for wish, said in (
        (Wish("Ink it.", 10, Size(width=1536, height=864)), "ask for 1536x1024 or 1024x1024"),
        (Wish("Ink it.", 10, background="striped"), "no striped background"),
        (Wish(" ", 10), "the prompt is empty"),
    ):
        with pytest.raises(ProviderFailed, match=said):
            mini.edit(wish, (SCENE,))
    with pytest.raises(ProviderFailed, match="1 to 16 pictures, not 17"):
        mini.edit(Wish("Ink it.", 10), (SCENE,) * 17)

    assert server.calls == []


def test_the_usual_size_of_a_picture_of_words_stands_where_the_key_stands(server, home) -> None:
    place(home, server.url, OPENAI_IMAGE_SIZE="1536x1024")
    painter(home).generate(Wish("A lamp.", 10))
    place(home, server.url, OPENAI_IMAGE_SIZE="big")

    with pytest.raises(ProviderFailed, match=r"OPENAI_IMAGE_SIZE from .* is no size"):
        painter(home).generate(Wish("A lamp.", 10))

    assert [call.fields["size"] for call in server.calls] == ["1536x1024"]


def test_several_threads_and_a_copy_from_another_process_buy_each_for_itself(server, home) -> None:
    copy = pickle.dumps(painter(home))

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: pickle.loads(copy).send(request()), range(8)))

    assert len({hashlib.sha256(answer.data).hexdigest() for answer in answers}) == server.bills == 8
    assert KEY.encode() not in copy
    assert KEY not in repr(painter(home))


def test_it_offers_nothing_to_who_does_not_know_what_became_of_a_call(home) -> None:
    assert painter(home).repeats is Repeats.NOTHING
    with pytest.raises(ProviderFailed, match="cannot be asked"):
        painter(home).ask(request())


def test_a_check_says_that_key_and_model_are_right_and_makes_no_picture(server, home) -> None:
    found = painter(home, "gpt-image-1.5:low").check()

    assert (found.connected, found.shuts_down, found.request_id) == (True, "2026-12-01", "req_0")
    assert found.says == f"OpenAI knows OPENAI_API_KEY from {home / '.env'}, and gpt-image-1.5."
    assert server.calls == []


def test_a_check_says_what_is_wrong(server, home, tmp_path) -> None:
    unknown = OpenAIPainter("gpt-image-9", home=home).check()
    server.script.append("echo")
    refused = painter(home).check()
    missing = painter(tmp_path / "elsewhere").check()

    assert [found.connected for found in (unknown, refused, missing)] == [False] * 3
    assert [found.code for found in (unknown, refused, missing)] == [
        "model_not_found",
        "invalid_api_key",
        "key_missing",
    ]
    assert KEY not in refused.says
    assert server.calls == []


def test_a_short_word_that_serves_as_a_key_spoils_no_picture(server, home) -> None:
    # As services on one's own machine take it; this one stands in the base64 of every PNG.
    server.key = "iVBORw0KGgo"
    place(home, server.url, OPENAI_API_KEY=server.key)

    answer = painter(home).send(request())

    assert images.load(answer.data).shape[:2] == (1024, 1024)
