"""A backend is asked by a pass: whatever it raises becomes its own failure, save what is not its fault."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kroma_nb.errors import InfraFailed, ProviderFailed, ToolStopped

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def asking(backend: str) -> Iterator[None]:
    """Turn what somebody else's code raises into a failure under its name.

    What says so itself passes through, and so do a disk that refuses and a person who stops: another backend would not
    help against either.

    Raises
    ------
    ProviderFailed
        In the place of any other exception; also where the code ends the program.

    Examples
    --------
    >>> with asking("mine"):
    ...     raise ZeroDivisionError("by zero")
    Traceback (most recent call last):
    kroma_nb.errors.money.ProviderFailed: mine: ZeroDivisionError: by zero.
    """
    try:
        yield
    except (ProviderFailed, InfraFailed, ToolStopped):
        raise
    except (Exception, SystemExit) as error:
        raise ProviderFailed(backend, f"{type(error).__name__}: {error}") from error
