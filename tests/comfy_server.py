"""A server on this machine that speaks as ComfyUI does, and refuses nodes, inputs and types that it does not know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import cv2
import numpy as np
from home_servers import HomeHandler, HomeServer, drawn

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
