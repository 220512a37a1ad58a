"""Small notebooks that tests run, and what stands in an executed one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

PARAMETERS = "n = 1  # how many\n"


def write_notebook(path: Path, *cells: str, parameters: str | None = PARAMETERS, tags: int = 1) -> Path:
    """Write a notebook with a title, its parameters cells and some more cells."""
    code = nbformat.v4.new_code_cell
    tagged = [code(parameters, metadata={"tags": ["parameters"]}) for _ in range(tags if parameters is not None else 0)]
    node = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# What is *this*?"), *tagged, *map(code, cells)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}},
    )
    nbformat.write(node, path)
    return path


def read_notebook(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def results(path: Path) -> list[str]:
    """Give what the cells of an executed notebook show as text, in order."""
    return [
        output.data["text/plain"] if "data" in output else output.get("text", output.get("ename", ""))
        for cell in read_notebook(path).cells
        for output in cell.get("outputs", ())
    ]


def words(path: Path) -> str:
    """Give all Markdown of a notebook."""
    return "\n".join(cell.source for cell in read_notebook(path).cells if cell.cell_type == "markdown")


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits for its parent does not."""
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
