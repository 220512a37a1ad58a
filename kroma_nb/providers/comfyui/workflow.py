"""A workflow of ComfyUI in its API format, and the places in it that a run fills."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kroma_nb.errors import SettingsInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BUILT_IN: Final = "the built-in workflow"
CHECKPOINT: Final = "checkpoint"
NEEDED = ("prompt", "seed", "scene")
INPUTS: Mapping[str, tuple[str, ...]] = {
    "prompt": ("text", "prompt", "value", "string"),
    "seed": ("seed", "noise_seed", "value"),
    "scene": ("image",),
    "width": ("width", "value"),
    "height": ("height", "value"),
    CHECKPOINT: ("ckpt_name",),
}
"""Which inputs of a node take what its title asks for."""
_WORD = re.compile(r"\{(" + "|".join(INPUTS) + r")\}")
_TITLE_OF_PAGE = "{page}"


@dataclass(frozen=True)
class Workflow:
    """A workflow that was looked through: it says where words, seed and scene go.

    Attributes
    ----------
    file : str
        How errors name it.
    text : str
        Its nodes, as JSON.
    """

    file: str
    text: str = field(repr=False)

    @classmethod
    def of(cls, file: str, said: Any) -> Workflow:
        """Look through what stands in a file.

        Raises
        ------
        SettingsInvalid
            If it is no workflow in API format, or does not say where words, seed and scene go.
        """
        if isinstance(said, dict) and isinstance(said.get("nodes"), list):
            way_out = "in ComfyUI take Workflow, Export (API)"
            raise SettingsInvalid(file, "nodes", "it is saved for the editor, not for the API", way_out)
        nodes = said if isinstance(said, dict) else {}
        if not nodes or not all(isinstance(node, dict) and _is_node(node) for node in nodes.values()):
            problem = "it holds no nodes of the form {class_type, inputs}"
            raise SettingsInvalid(file, "", problem, "in ComfyUI take Workflow, Export (API)")
        workflow = cls(file, json.dumps(nodes, sort_keys=True))
        known = workflow.words
        for word in NEEDED:
            if word not in known:
                raise SettingsInvalid(file, *_missing(nodes, word))
        return workflow

    @property
    def nodes(self) -> dict[str, dict[str, Any]]:
        """Its nodes by their keys, made anew each time."""
        nodes: dict[str, dict[str, Any]] = json.loads(self.text)
        return nodes

    @property
    def words(self) -> frozenset[str]:
        """What it has a place for.

        Raises
        ------
        SettingsInvalid
            If a title asks for what its node has no input for.
        """
        return frozenset(word for key, node in self.nodes.items() for word in self._of_node(key, node))

    def filled(self, values: Mapping[str, str | int]) -> dict[str, dict[str, Any]]:
        """Give the nodes with what a run says in their places.

        Parameters
        ----------
        values : mapping
            ``prompt``, ``seed``, ``scene``, ``width``, ``height``, ``checkpoint``.

        Examples
        --------
        >>> nodes = {"1": {"class_type": "CLIPTextEncode", "inputs": {"text": "{prompt}, ink"}},
        ...          "2": {"class_type": "KSampler", "inputs": {"seed": 0}, "_meta": {"title": "draw {seed}"}},
        ...          "3": {"class_type": "LoadImage", "inputs": {"image": "{scene}"}}}
        >>> filled = Workflow.of("mine.json", nodes).filled({"prompt": "a {seed}", "seed": 7, "scene": "a.png"})
        >>> [node["inputs"] for node in filled.values()]
        [{'text': 'a {seed}, ink'}, {'seed': 7}, {'image': 'a.png'}]
        """
        nodes = self.nodes
        for key, node in nodes.items():
            inputs = node["inputs"]
            asked = {name: values[word] for word, name in self._titled(key, node).items() if word in values}
            for name, value in inputs.items():
                inputs[name] = asked[name] if name in asked else _with(value, values)
        return nodes

    def pages(self) -> list[str]:
        """Give the nodes whose title says ``{page}``: of several that give pictures, those are meant."""
        return [key for key, node in self.nodes.items() if _TITLE_OF_PAGE in _title(node)]

    def _of_node(self, key: str, node: dict[str, Any]) -> Iterator[str]:
        yield from self._titled(key, node)
        for value in node["inputs"].values():
            yield from _WORD.findall(value) if isinstance(value, str) else ()

    def _titled(self, key: str, node: dict[str, Any]) -> dict[str, str]:
        """Give, by each word of a node's title, the input that it fills."""
        filled = {}
        for word in _WORD.findall(_title(node)):
            own = [name for name in INPUTS[word] if name in node["inputs"] and not _is_link(node["inputs"][name])]
            if not own:
                place, names = f"node {key} ({node['class_type']})", " or ".join(INPUTS[word])
                problem = f"its title asks for {{{word}}}, and it has no input {names} of its own"
                raise SettingsInvalid(self.file, place, problem, "write it into the title of the node that has one")
            filled[word] = own[0]
        return filled


def _missing(nodes: Mapping[str, dict[str, Any]], word: str) -> tuple[str, str, str]:
    """Say where a word may belong that is nowhere."""
    fits = [
        key
        for key, node in nodes.items()
        if any(name in node["inputs"] and not _is_link(node["inputs"][name]) for name in INPUTS[word][:2])
    ]
    place = f"node {fits[0]} ({nodes[fits[0]]['class_type']})" if fits else "nodes"
    where = "into its title" if fits else f"into the title of a node with an input {INPUTS[word][0]}"
    return place, f"no node takes {{{word}}}", f"write {{{word}}} {where}, or in place of the value"


def _with(value: Any, values: Mapping[str, str | int]) -> Any:
    if not isinstance(value, str):
        return value
    whole = _WORD.fullmatch(value.strip())
    if whole and whole[1] in values:
        return values[whole[1]]
    # In one go: what the artist's words say in braces is not filled in turn.
    return _WORD.sub(lambda found: str(values.get(found[1], found[0])), value)


def _is_node(node: dict[str, Any]) -> bool:
    return isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)


def _is_link(value: object) -> bool:
    return isinstance(value, list)


def _title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) else ""


def built_in() -> Workflow:
    """Give a small workflow: the scene into latent space, drawn anew to six tenths, and back.

    Examples
    --------
    >>> sorted(built_in().words)
    ['checkpoint', 'prompt', 'scene', 'seed']
    """
    sampling = {"steps": 30, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 0.6}
    links = {"model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["5", 0]}
    nodes = {
        "1": _node("CheckpointLoaderSimple", ckpt_name="{checkpoint}"),
        "2": _node("CLIPTextEncode", text="{prompt}", clip=["1", 1]),
        "3": _node("CLIPTextEncode", text="", clip=["1", 1]),
        "4": _node("LoadImage", image="{scene}"),
        "5": _node("VAEEncode", pixels=["4", 0], vae=["1", 2]),
        "6": _node("KSampler", seed="{seed}", **sampling, **links),
        "7": _node("VAEDecode", samples=["6", 0], vae=["1", 2]),
        "8": _node("SaveImage", images=["7", 0], filename_prefix="kroma"),
    }
    return Workflow.of(BUILT_IN, nodes)


def _node(kind: str, **inputs: object) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}
