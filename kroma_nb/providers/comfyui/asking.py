"""One prompt of ComfyUI from its queue to its picture: never waited for without end, and called off if we stop."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.errors import KromaError, ProviderBusy, ProviderFailed
from kroma_nb.providers.home import LOOK_S, Letter

if TYPE_CHECKING:
    from kroma_nb.providers.home import Server

PROVIDER: Final = "comfyui"
FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 2.0
CALL_OFF_S = 3.0
"""How long each step of calling a prompt off may take."""
GONE = 2
"""How often in a row a prompt is neither in the queue nor in the history until it counts as taken away."""


@dataclass(frozen=True)
class Waiting:
    """A prompt that was sent.

    Attributes
    ----------
    server : Server
    prompt_id : str
    timeout_s : float, seconds
    """

    server: Server
    prompt_id: str
    timeout_s: float

    def outputs(self) -> dict[str, Any]:
        """Wait until it is done, and give what its nodes have put out.

        Raises
        ------
        ProviderBusy
            If it is not done in time, or the server is lost.
        ProviderFailed
            If a node fails, or somebody takes the prompt away.
        """
        try:
            return self._followed()
        except BaseException as cause:
            if getattr(cause, "code", "") not in {"node_failed", "interrupted", "taken_away"}:
                self.call_off()
            raise

    def _followed(self) -> dict[str, Any]:
        until, wait_s, missing = time.monotonic() + self.timeout_s, FIRST_WAIT_S, 0
        while time.monotonic() < until:
            entry = self._entry(until)
            if entry is not None:
                return _outputs_of(entry)
            missing = 0 if self._is_queued(until) else missing + 1
            if missing > GONE:
                problem = "the prompt is neither in its queue nor in its history: somebody has taken it away"
                raise ProviderFailed(PROVIDER, problem, "taken_away")
            time.sleep(max(0.0, min(wait_s, until - time.monotonic())))
            wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)
        problem = f"the picture was not done after {self.timeout_s:g} s"
        way_out = f"timeout_s under [limits.{PROVIDER}] in config/models.toml says how long it may take"
        raise ProviderBusy(PROVIDER, f"{problem}; {way_out}", "timed_out")

    def call_off(self) -> None:
        """Take the prompt out of the queue, and stop it where it is being drawn; another one is left alone."""
        with contextlib.suppress(KromaError):
            self.server.ask(Letter("/queue", {"delete": [self.prompt_id]}), CALL_OFF_S)
            queue = self.server.ask(Letter("/queue"), CALL_OFF_S)
            if self.prompt_id in _ids(queue, "queue_running"):
                # Older servers pass over the name, and stop what is being drawn: this prompt, at this moment.
                self.server.ask(Letter("/interrupt", {"prompt_id": self.prompt_id}), CALL_OFF_S)

    def _entry(self, until: float) -> dict[str, Any] | None:
        said = self._asked(f"/history/{self.prompt_id}", until)
        entry = said.get(self.prompt_id) if isinstance(said, dict) else None
        return entry if isinstance(entry, dict) else None

    def _is_queued(self, until: float) -> bool:
        queue = self._asked("/queue", until)
        return queue is None or self.prompt_id in _ids(queue, "queue_running") + _ids(queue, "queue_pending")

    def _asked(self, path: str, until: float) -> Any:
        """Ask while there is time; a server that is busy drawing may be slow to say so."""
        left_s = until - time.monotonic()
        if left_s <= 0:
            return None
        try:
            return self.server.ask(Letter(path), min(LOOK_S, left_s))
        except ProviderBusy as cause:
            if cause.code != "timed_out":
                raise
            return None


def queued(server: Server, nodes: dict[str, Any], timeout_s: float) -> Waiting:
    """Put a prompt into the queue.

    Raises
    ------
    ProviderBusy, ProviderFailed
        If the server cannot be reached, or refuses it, with the nodes that it names.
    """
    said = server.ask(Letter("/prompt", {"prompt": nodes}), min(LOOK_S * 2, timeout_s))
    prompt_id = said.get("prompt_id") if isinstance(said, dict) else None
    if not isinstance(prompt_id, str) or not prompt_id.replace("-", "").isalnum():
        raise ProviderFailed(PROVIDER, f"what answers at {server.address} is not ComfyUI", "bad_answer")
    return Waiting(server, prompt_id, timeout_s)


def chosen(outputs: dict[str, Any], marked: list[str]) -> dict[str, str]:
    """Choose the picture that is meant: of a node whose title says ``{page}``, else the only one that is kept.

    Raises
    ------
    ProviderFailed
        If there is none, or no telling which.

    Examples
    --------
    >>> chosen({"8": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}, [])
    {'filename': 'a.png', 'subfolder': '', 'type': 'output'}
    """
    found = {key: _pictures(node) for key, node in outputs.items() if isinstance(node, dict)}
    found = {key: pictures for key, pictures in found.items() if pictures}
    for keys in (
        [key for key in found if key in marked],
        [key for key, pictures in found.items() if pictures[0]["type"] == "output"],
        list(found),
    ):
        if len(keys) == 1:
            return found[keys[0]][0]
        if keys:
            names = ", ".join(keys)
            problem = f"the nodes {names} all give pictures; write {{page}} into the title of the one that is meant"
            raise ProviderFailed(PROVIDER, problem, "which_picture")
    raise ProviderFailed(PROVIDER, "it was done, and no node has given a picture; add Save Image", "no_picture")


def _pictures(node: dict[str, Any]) -> list[dict[str, str]]:
    listed = node.get("images")
    return [
        {"filename": one["filename"], "subfolder": one.get("subfolder") or "", "type": one.get("type") or "output"}
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and isinstance(one.get("filename"), str)
    ]


def _outputs_of(entry: dict[str, Any]) -> dict[str, Any]:
    status = entry.get("status")
    status = status if isinstance(status, dict) else {}
    if status.get("status_str") == "error":
        raise _failure(status.get("messages"))
    outputs = entry.get("outputs")
    return outputs if isinstance(outputs, dict) else {}


def _failure(messages: object) -> ProviderFailed:
    """Say what went wrong, as the messages of a prompt tell it."""
    told = [one for one in (messages if isinstance(messages, list) else []) if isinstance(one, list) and len(one) == 2]
    for kind, said in told:
        if kind == "execution_interrupted":
            return ProviderFailed(PROVIDER, "somebody has interrupted it", "interrupted")
        if kind == "execution_error" and isinstance(said, dict):
            words = " ".join(str(said.get("exception_message", "")).split())[:300].rstrip(".")
            where = f"node {said.get('node_id')} ({said.get('node_type')})"
            return ProviderFailed(PROVIDER, f"{where} fails: {words}", "node_failed")
    return ProviderFailed(PROVIDER, "it fails, and does not say why", "node_failed")


def _ids(queue: Any, name: str) -> list[str]:
    listed = queue.get(name) if isinstance(queue, dict) else None
    return [str(one[1]) for one in listed or [] if isinstance(one, list) and len(one) > 1]
