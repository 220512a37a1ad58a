"""What tests of OpenAI's engine are made with: a place where its key stands, requests, and what holds a key."""

from __future__ import annotations

import traceback
from pathlib import Path

from openai_server import KEY

from kroma_nb.model.brief import Brief, Seeds, Size
from kroma_nb.model.paid import Attachment, PaidRequest
from kroma_nb.model.words import Stage, TimeOfDay, Weather
from kroma_nb.planning import load_catalog
from kroma_nb.providers.openai import OpenAIPainter

SCENE = Attachment("scene.png", "image/png", b"\x89PNG scene")
STYLE = Attachment("style_1.jpg", "image/jpeg", b"\xff\xd8 style")
HERO = Attachment("character_1.webp", "image/webp", b"RIFF hero")


def place(home: Path, url: str, **more: str) -> Path:
    """Make a workspace whose ``.env`` holds the key."""
    home.mkdir(parents=True, exist_ok=True)
    lines = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url, **more}
    (home / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    return home


def painter(home: Path | None, model: str = "gpt-image-2.6-flare:low") -> OpenAIPainter:
    """Give the engine of a model of the built-in catalog."""
    card = load_catalog().find("openai", model)
    assert card is not None
    assert card.offer is not None
    return OpenAIPainter(card.model, card.offer, home)


def request(
    *references: Attachment, timeout_s: float = 10.0, prompt: str = "Ink it.", size: str = "1024x1024"
) -> PaidRequest:
    """Ask for one picture."""
    width, height = map(int, size.split("x"))
    brief = Brief(
        stage=Stage.STYLE,
        time=TimeOfDay.DAY,
        weather=Weather.CLEAR,
        prompt=prompt,
        seeds=Seeds(style=1, time=2, weather=3),
        size=Size(width=width, height=height),
    )
    return PaidRequest("0" * 32, brief, SCENE, references, timeout_s)


def told(error: BaseException) -> str:
    """Give all that an error could tell a log: its fields, its frames' locals, and every error that it hangs on."""
    seen, texts = [error], []
    for one in seen:
        seen += [two for two in (one.__cause__, one.__context__) if two is not None and two not in seen]
        texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        frames = [frame for frame, _ in traceback.walk_tb(one.__traceback__)]
        # The test's own frame holds what it looks for.
        texts += [repr(frame.f_locals) for frame in frames if "tests" not in Path(frame.f_code.co_filename).parts]
    return "\n".join(texts)
