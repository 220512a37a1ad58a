"""A server on this machine that speaks as AUTOMATIC1111's web UI does, and refuses what is not documented."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from home_servers import HomeHandler, HomeServer, drawn

CHECKPOINTS = {"inkpunk": "1a2b3c4d5e", "noir_xl": "ffeeddccbb"}
IMG2IMG: dict[str, type | tuple[type, ...]] = {
    "init_images": list,
    "prompt": str,
    "negative_prompt": str,
    "seed": int,
    "subseed_strength": (int, float),
    "width": int,
    "height": int,
    "batch_size": int,
    "n_iter": int,
    "steps": int,
    "cfg_scale": (int, float),
    "denoising_strength": (int, float),
    "sampler_name": str,
    "resize_mode": int,
    "send_images": bool,
    "save_images": bool,
    "override_settings": dict,
    "override_settings_restore_afterwards": bool,
    "alwayson_scripts": dict,
}
"""The fields that are sent, out of those that the web UI lists under /docs, with their types."""


class Sdapi(HomeServer):
    """The web UI. Words: ``nan half html small none text``, ``seed`` ``model`` (others), ``drop die hang``."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(_SdapiHandler, port)
        self.at_once = self.most_at_once = 0
        self.settings: dict[str, Any] = {
            "sd_model_checkpoint": "inkpunk.safetensors [1a2b3c4d5e]",
            "sd_vae": "Automatic",
            "CLIP_stop_at_last_layers": 1,
            "samples_filename_pattern": "",
        }

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [one.body for one in self.seen if one.path == "/sdapi/v1/img2img"]


class _SdapiHandler(HomeHandler):
    server: Sdapi

    def serve(self, method: str, body: Any) -> None:
        if (method, self.path) == ("GET", "/sdapi/v1/options"):
            self.answer(200, self.server.settings)
        elif (method, self.path) == ("GET", "/sdapi/v1/sd-models"):
            self.answer(200, [_model(name, short) for name, short in CHECKPOINTS.items()])
        elif (method, self.path) == ("POST", "/sdapi/v1/img2img"):
            self._img2img(body)
        else:
            self.answer(404, {"detail": "Not Found"})

    def _img2img(self, body: dict[str, Any]) -> None:
        wrong = [{"loc": ["body", name], "msg": "extra fields not permitted"} for name in body.keys() - IMG2IMG.keys()]
        wrong += [
            {"loc": ["body", name], "msg": f"wrong type {type(value).__name__}"}
            for name, value in body.items()
            if name in IMG2IMG and not isinstance(value, IMG2IMG[name])
        ]
        if wrong or not -1 <= body["seed"] < 2**32 or body["width"] % 8 or body["height"] % 8:
            self.answer(422, {"detail": wrong or [{"loc": ["body", "seed"], "msg": "out of range"}]})
            return
        word = self.server.word()
        if word in {"drop", "die"}:
            self.drop()
            if word == "die":
                self.server.die()
            return
        if word == "hang":
            self.server.closing.wait(20)
            return
        if word == "nan":
            said = "A tensor with all NaNs was produced in Unet."
            self.answer(500, {"error": "NansException", "detail": "", "body": "", "errors": said})
            return
        if word == "html":
            self.answer(200, b"<html>Gradio</html>", "text/html")
            return
        self._draw(body, word)

    def _draw(self, body: dict[str, Any], word: str) -> None:
        with self.server.lock:
            self.server.pictures += 1
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.at_once, self.server.most_at_once)
        time.sleep(0.01)
        with self.server.lock:
            self.server.at_once -= 1
        title = body["override_settings"]["sd_model_checkpoint"]
        told = {name: value for name, value in body.items() if name not in {"init_images", "seed", "prompt"}}
        width, height = (body["width"] // 2, body["height"]) if word == "small" else (body["width"], body["height"])
        scene = base64.b64decode(body["init_images"][0], validate=True)
        data = drawn(body["seed"], [title, body["prompt"], told], scene, width, height)
        data = data[: len(data) // 2] if word == "half" else data
        images = [] if word == "none" else ["no base64!" if word == "text" else base64.b64encode(data).decode()]
        short = next(short for name, short in CHECKPOINTS.items() if title.startswith(name))
        info = {
            "seed": 1 if word == "seed" else body["seed"],
            "sd_model_hash": "0000000000" if word == "model" else short,
        }
        self.answer(200, {"images": images, "parameters": {}, "info": json.dumps(info)})


def _model(name: str, short: str) -> dict[str, Any]:
    file = f"{name}.safetensors"
    title = f"{file} [{short}]"
    sha256 = short + 54 * "0"
    known = {"title": title, "model_name": name, "hash": short, "sha256": sha256}
    return {**known, "filename": f"/models/{file}", "config": None}
