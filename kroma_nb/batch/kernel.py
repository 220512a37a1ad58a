"""Papermill's engine with a kernel of this very Python, that can be interrupted and never stays behind."""

from __future__ import annotations

import asyncio
import logging
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from kroma_nb.batch.nodes import node_bytes
from kroma_nb.blobs import write_atomic

if TYPE_CHECKING:
    from kroma_nb.batch.interrupts import Interrupts

ENGINE = "kroma_nb"
# A machine that is busy with pictures may let a kernel and its last words wait.
START_TIMEOUT_S = 120
LAST_WORDS_TIMEOUT_S = 60


class _ThisPython(KernelSpecManager):
    """Knows one kernel: the Python that this process runs in, whatever else is installed under that name."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(name=kernel_name, **get_kernel_dict())


class _Manager(AsyncKernelManager):
    """Ends a kernel by asking it to, and not by Ctrl-C first: one that just listens would complain about that."""

    async def _async_interrupt_kernel(self) -> None:
        if not self.shutting_down:
            await super()._async_interrupt_kernel()

    interrupt_kernel = _async_interrupt_kernel


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Executes cells, and knows at every moment whether the kernel would hear an interrupt."""

    interrupts: Interrupts

    def create_kernel_manager(self) -> _Manager:
        self.km = _Manager(kernel_name="python3", kernel_spec_manager=_ThisPython())
        if self.km.has_trait("transport_encryption"):
            self.km.transport_encryption = "auto"  # other users of the machine could listen on the loopback
        return self.km

    def process_message(self, msg: dict[str, Any], *args: Any) -> Any:
        if msg["msg_type"] == "execute_input":
            self.interrupts.began(self._interrupt())
        return super().process_message(msg, *args)

    def _interrupt(self) -> Any:
        loop = asyncio.get_running_loop()
        return lambda: loop.call_soon_threadsafe(self._send_interrupt)

    def _send_interrupt(self) -> None:
        self._sent = asyncio.ensure_future(self.km.interrupt_kernel())

    def begin(self, cell: Any, **_: Any) -> None:
        if self.interrupts.asked and cell.cell_type == "code":
            raise CellExecutionError("", "KeyboardInterrupt", "")

    def end(self, **_: Any) -> None:
        self.interrupts.ended()


class _Keeper(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps the notebook as far as it came; a kill or a full disk never leaves half a file."""

    nb: Any

    def save(self, nb: Any = None, **_: Any) -> None:
        self.nb = nb or self.nb
        write_atomic(Path(self.output_path), node_bytes(self.nb))
        self.last_save_time = self.now()


class _Engine(Engine):  # type: ignore[misc]
    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        keeper = _Keeper(nb, output_path=options["output_path"], progress_bar=False)
        keeper.notebook_start()
        try:
            cls.execute_managed_notebook(keeper, kernel_name, **options)
        finally:
            keeper.notebook_complete()
        return keeper.nb

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        client = _Client(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=START_TIMEOUT_S,
            iopub_timeout=LAST_WORDS_TIMEOUT_S,
            log=_silent(),
        )
        client.interrupts = options["interrupts"]
        client.on_cell_start, client.on_cell_executed = client.begin, client.end
        # The command's own standard output belongs to its answer.
        client.execute(env=options["environment"], cwd=options["folder"], stdout=subprocess.DEVNULL)


def _silent() -> logging.Logger:
    """Give a log that nobody reads: what ends an execution is raised, and said once."""
    log = logging.Logger("kroma_nb")
    log.addHandler(logging.NullHandler())
    return log


def register() -> str:
    """Tell papermill of this engine, and give the name that it is asked for by."""
    papermill_engines.register(ENGINE, _Engine)
    return ENGINE
