"""Servers on this machine that speak as AUTOMATIC1111's web UI and ComfyUI do, and refuse what is not documented."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import cv2
import numpy as np


def drawn(seed: int, told: object, scene: bytes, width: int, height: int) -> bytes:
    """Draw a page that hangs on everything it is told: the scene in black and white, and a grain of the seed."""
    grey = cv2.imdecode(np.frombuffer(scene, np.uint8), cv2.IMREAD_GRAYSCALE)
    page = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA).astype(np.int16)
    digest = hashlib.sha256(json.dumps([seed, told], sort_keys=True).encode()).digest()
    grain = np.random.default_rng(int.from_bytes(digest[:8], "big")).integers(-40, 41, page.shape)
    return cv2.imencode(".png", np.where(page + grain > 128, 255, 0).astype(np.uint8))[1].tobytes()


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    body: Any
    headers: Message


class HomeServer(ThreadingHTTPServer):
    """What both servers have: a script of words for the next pictures, and what has arrived."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.script: deque[str] = deque()
        self.seen: list[Seen] = []
        self.lock = Lock()
        self.closing = Event()
        self.auth = ""
        self.pictures = 0

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no fault of the server's."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def die(self) -> None:
        """Go away, as a server does whose machine has no memory left."""
        self.closing.set()
        self.shutdown()
        self.server_close()

    def word(self) -> str:
        with self.lock:
            return self.script.popleft() if self.script else "ok"

    def paths(self, method: str) -> list[str]:
        return [one.path for one in self.seen if one.method == method]


class HomeHandler(BaseHTTPRequestHandler):
    server: Any

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._served("GET", b"")

    def do_POST(self) -> None:
        self._served("POST", self.rfile.read(int(self.headers["content-length"])))

    def _served(self, method: str, raw: bytes) -> None:
        kind = self.headers.get("content-type", "")
        body = json.loads(raw) if kind == "application/json" else raw
        self.server.seen.append(Seen(method, self.path, body, self.headers))
        wanted = f"Basic {base64.b64encode(self.server.auth.encode()).decode()}"
        if self.server.auth and self.headers.get("authorization") != wanted:
            self.answer(401, {"detail": f"Not authenticated, not even with {self.headers.get('authorization')}"})
        else:
            self.serve(method, body)

    def serve(self, method: str, body: Any) -> None:
        raise NotImplementedError

    def answer(self, status: int, said: object, kind: str = "application/json") -> None:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drop(self) -> None:
        self.close_connection = True


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


NODES: dict[str, dict[str, Any]] = {
    "CheckpointLoaderSimple": {"ckpt_name": str},
    "CLIPTextEncode": {"text": str, "clip": list},
    "LoadImage": {"image": str},
    "VAEEncode": {"pixels": list, "vae": list},
    "KSampler": {
        "seed": int,
        "steps": int,
        "cfg": float,
        "sampler_name": str,
        "scheduler": str,
        "denoise": float,
        "model": list,
        "positive": list,
        "negative": list,
        "latent_image": list,
    },
    "VAEDecode": {"samples": list, "vae": list},
    "SaveImage": {"images": list, "filename_prefix": str},
    "PreviewImage": {"images": list},
}


@dataclass
class Prompted:
    """A prompt in ComfyUI's queue or history."""

    nodes: dict[str, Any]
    word: str
    looks: int = 0
    stopped: bool = False
    outputs: dict[str, Any] = field(default_factory=dict)


class Comfy(HomeServer):
    """ComfyUI. Words: ``slow`` ``never`` ``fails`` ``gone`` ``stopped empty small text lost drop``."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(_ComfyHandler, port)
        self.uploads: dict[str, bytes] = {}
        self.prompts: dict[str, Prompted] = {}
        self.files: dict[str, bytes] = {}
        self.interrupted: list[str] = []
        self.deleted: list[str] = []
        self.checkpoints = ["inkpunk.safetensors", "noir_xl.safetensors"]
        self.version = "0.9.2"


class _ComfyHandler(HomeHandler):
    server: Comfy

    def serve(self, method: str, body: Any) -> None:
        path = urlsplit(self.path).path
        known = {
            ("GET", "/system_stats"): self._stats,
            ("GET", "/object_info/CheckpointLoaderSimple"): self._loader,
            ("POST", "/upload/image"): lambda: self._upload(body),
            ("POST", "/prompt"): lambda: self._prompt(body),
            ("GET", "/queue"): self._queue,
            ("POST", "/queue"): lambda: self._delete(body),
            ("POST", "/interrupt"): lambda: self._interrupt(body),
            ("GET", "/view"): self._view,
        }
        if method == "GET" and path.startswith("/history/"):
            self._history(path.rpartition("/")[2])
        else:
            known.get((method, path), lambda: self.answer(404, b"404: Not Found", "text/plain"))()

    def _stats(self) -> None:
        system = {"os": "posix", "comfyui_version": self.server.version, "pytorch_version": "2.9.0+cpu", "argv": []}
        device = {"name": "cpu", "type": "cpu", "index": None, "vram_total": 8, "vram_free": len(self.server.seen)}
        self.answer(200, {"system": system, "devices": [device]})

    def _loader(self) -> None:
        required = {"ckpt_name": [self.server.checkpoints, {"tooltip": "The name"}]}
        self.answer(200, {"CheckpointLoaderSimple": {"input": {"required": required}, "output": ["MODEL"]}})

    def _upload(self, raw: bytes) -> None:
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part
            for part in BytesParser(policy=HTTP).parsebytes(head + raw).iter_parts()
        }
        if set(parts) != {"image", "type", "overwrite"} or parts["type"].get_content().strip() != "input":
            self.answer(400, b"", "text/plain")
            return
        name = parts["image"].get_filename()
        self.server.uploads[name] = parts["image"].get_payload(decode=True)
        self.answer(200, {"name": name, "subfolder": "", "type": "input"})

    def _prompt(self, body: dict[str, Any]) -> None:
        wrong = {key: said for key, node in body["prompt"].items() if (said := self._wrong(node))}
        if set(body) - {"prompt", "client_id"} or wrong:
            error = {"type": "invalid", "message": "Prompt outputs failed validation", "details": "", "extra_info": {}}
            self.answer(400, {"error": error, "node_errors": wrong})
            return
        with self.server.lock:
            prompt_id = f"00000000-0000-4000-8000-{len(self.server.prompts):012d}"
        self.server.prompts[prompt_id] = Prompted(body["prompt"], self.server.word())
        self.answer(200, {"prompt_id": prompt_id, "number": len(self.server.prompts), "node_errors": {}})

    def _wrong(self, node: dict[str, Any]) -> dict[str, Any] | None:
        wanted = NODES.get(node["class_type"], {})
        inputs = node["inputs"]
        bad = list(wanted.keys() ^ inputs.keys())
        bad += [name for name in wanted.keys() & inputs.keys() if not isinstance(inputs[name], wanted[name])]
        if node["class_type"] == "LoadImage" and inputs["image"] not in self.server.uploads:
            bad.append("image")
        if node["class_type"] == "CheckpointLoaderSimple" and inputs["ckpt_name"] not in self.server.checkpoints:
            bad.append("ckpt_name")
        errors = [{"type": "value", "message": "Value not valid", "details": name, "extra_info": {}} for name in bad]
        return {"class_type": node["class_type"], "errors": errors, "dependent_outputs": []} if bad else None

    def _history(self, prompt_id: str) -> None:
        one = self.server.prompts.get(prompt_id)
        if one is None or one.word in {"never", "gone"}:
            self.answer(200, {})
            return
        one.looks += 1
        if one.word == "drop" and one.looks == 2:
            self.drop()
            return
        if one.word in {"slow", "drop"} and one.looks < 4:
            self.answer(200, {})
            return
        messages: list[Any] = [["execution_start", {"prompt_id": prompt_id}]]
        if one.word == "fails":
            said = {"node_id": "6", "node_type": "KSampler", "exception_message": "CUDA out of memory.\n"}
            messages.append(["execution_error", said])
        if one.word == "stopped":
            messages.append(["execution_interrupted", {"prompt_id": prompt_id}])
        fine = one.word not in {"fails", "stopped"}
        if fine and not one.outputs:
            one.outputs = self._drawn(prompt_id, one)
        status = {"status_str": "success" if fine else "error", "completed": fine, "messages": messages}
        self.answer(200, {prompt_id: {"prompt": [], "outputs": one.outputs, "status": status, "meta": {}}})

    def _drawn(self, prompt_id: str, one: Prompted) -> dict[str, Any]:
        kinds = {node["class_type"]: node["inputs"] for node in one.nodes.values()}
        words = [node["inputs"]["text"] for node in one.nodes.values() if node["class_type"] == "CLIPTextEncode"]
        scene = self.server.uploads[kinds["LoadImage"]["image"]]
        height, width = cv2.imdecode(np.frombuffer(scene, np.uint8), cv2.IMREAD_GRAYSCALE).shape
        width = width // 2 if one.word == "small" else width
        told = [words, kinds.get("CheckpointLoaderSimple"), kinds["KSampler"]["steps"]]
        data = drawn(kinds["KSampler"]["seed"], told, scene, width, height)
        self.server.pictures += 1
        outputs = {}
        for key, node in one.nodes.items():
            if node["class_type"] in {"SaveImage", "PreviewImage"} and one.word != "empty":
                name = f"{prompt_id}_{key}.png"
                if one.word != "lost":
                    self.server.files[name] = b"no picture" if one.word == "text" else data
                kind = "output" if node["class_type"] == "SaveImage" else "temp"
                outputs[key] = {"images": [{"filename": name, "subfolder": "", "type": kind}]}
        return outputs

    def _queue(self) -> None:
        waiting = [[n, key, {}, {}, []] for n, (key, one) in enumerate(self.server.prompts.items()) if _waits(one)]
        self.answer(200, {"queue_running": waiting[:1], "queue_pending": waiting[1:]})

    def _delete(self, body: dict[str, Any]) -> None:
        self.server.deleted += body["delete"]
        self.answer(200, b"", "text/plain")

    def _interrupt(self, body: dict[str, Any]) -> None:
        self.server.interrupted.append(body["prompt_id"])
        self.server.prompts[body["prompt_id"]].stopped = True
        self.answer(200, b"", "text/plain")

    def _view(self) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        data = self.server.files.get(query.get("filename", ""))
        if (
            data is None
            or set(query) != {"filename", "subfolder", "type"}
            or not re.match("output|temp", query["type"])
        ):
            self.answer(404, b"", "text/plain")
        else:
            self.answer(200, data, "image/png")


def _waits(one: Prompted) -> bool:
    return one.word in {"slow", "never", "drop"} and not one.outputs and not one.stopped


@contextmanager
def running(server: HomeServer) -> Iterator[Any]:
    """Let a server answer until the end of the block."""
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join(5)
