"""What providers have sent: the bytes as they came, by content, and a receipt for each call."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kroma_nb import images
from kroma_nb.blobs import BlobStore, create_atomic, sha256_file
from kroma_nb.errors import FileMissing, PictureTooLarge, PictureUnreadable, RecordInvalid
from kroma_nb.model.ledger import BoughtPicture, Receipt
from kroma_nb.model.run import StoredFile, now
from kroma_nb.run.answers import LARGEST_BYTES
from kroma_nb.run.cache import key_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kroma_nb.model.brief import Brief, Engine
    from kroma_nb.model.ledger import Reserved
    from kroma_nb.model.money import Money
    from kroma_nb.model.paid import PaidAnswer
    from kroma_nb.model.run import PassRecord

FOLDER = "originals"
UNSEEN = ".unseen"
"""What the name of a receipt has in it that was written before the bytes were decoded."""
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
MEDIA_TYPES = {suffix: media_type for media_type, suffix in SUFFIXES.items()}


def paid_key(engine: Engine, brief: Brief, scene_sha256: str, references: tuple[str, ...]) -> str:
    """Hash what a provider is asked for: two calls with one key ask for the same picture.

    Which version of the engine asks is no part of it: whoever brings the engine up to date does not pay again.
    """
    return key_of(
        "bought",
        provider=engine.provider,
        model=engine.model,
        brief=brief.model_dump(mode="json"),
        scene=scene_sha256,
        references=references,
    )


@dataclass(frozen=True)
class Originals:
    """The originals of a project; nothing changes or removes them.

    Attributes
    ----------
    root : Path
        The project root.
    """

    root: Path

    def keep(self, call: Reserved, answer: PaidAnswer, *, version: str, price: Money, says: str = "") -> Receipt:
        """Put an answer on the disk itself, and its receipt after it.

        Parameters
        ----------
        call : Reserved
        answer : PaidAnswer
        version : str
            Of the engine.
        price : Money
            What the call costs where the answer does not say it.
        says : str
            What is wrong with the answer, where that is known already.

        Returns
        -------
        Receipt
            Not `usable` where the bytes are no picture; they are kept all the same.

        Raises
        ------
        WriteFailed
            If the disk refuses.
        """
        # Kept first, with a receipt of its header alone: a decoder may take the process with it.
        blob = BlobStore(self.root / FOLDER, durable=True).put(answer.data, _suffix_of(answer.data))
        stored = StoredFile(path=f"{FOLDER}/{blob.name}", sha256=blob.sha256, size_bytes=blob.size_bytes)
        receipt = Receipt(
            at=now(),
            call_id=call.call_id,
            key=call.key,
            provider=call.provider,
            model=call.model,
            version=version,
            original=stored,
            usable=False,
            cost=price if answer.cost is None else answer.cost,
            reported=answer.cost is not None,
            request_id=answer.request_id,
            answered_by=answer.answered_by,
            usage=answer.usage,
            notes=answer.notes,
        )
        unseen = self._place(call.key, call.call_id, UNSEEN)
        self._write(unseen, _seen(receipt, *_looked_at(answer.data, call.provider, _header_of), says))
        receipt = _seen(receipt, *_looked_at(answer.data, call.provider, _decoded), says)
        self._write(self._place(call.key, call.call_id), receipt)
        with contextlib.suppress(OSError):
            unseen.unlink()
        return receipt

    def bought(self, key: str) -> Receipt | None:
        """Give the newest usable answer to what is asked for under a key; None where there is none.

        Raises
        ------
        RecordInvalid
            If a receipt is not what was written.
        """
        usable = [one for one in self.receipts(key) if one.usable and one.key == key]
        usable.sort(key=lambda one: (one.at, one.call_id), reverse=True)
        return next((one for one in usable if self._is_whole(one.original)), None)

    def taken_up(self, record: PassRecord, notes: tuple[str, ...]) -> BoughtPicture:
        """Give what a run has taken up for a picture that was bought, by its content.

        Neither the engine nor how it asks today has a part in it: what was sent then is what counts.

        Raises
        ------
        FileMissing
            If it is not there any more.
        """
        path = BlobStore(self.root / FOLDER).path(record.output.sha256)
        return BoughtPicture(
            original=record.output.model_copy(update={"path": path.relative_to(self.root).as_posix()}),
            media_type=MEDIA_TYPES.get(path.suffix, ""),
            version=record.version,
            width=record.width or 0,
            height=record.height or 0,
            notes=notes,
        )

    def receipt(self, call: Reserved) -> Receipt | None:
        """Give what has come for a call; None where nothing has."""
        paths = (self._place(call.key, call.call_id), self._place(call.key, call.call_id, UNSEEN))
        return next((self._read(path) for path in paths if path.is_file()), None)

    def receipt_name(self, call: Reserved) -> str:
        """Give the file of a call's receipt, relative to the project root."""
        return self._place(call.key, call.call_id).relative_to(self.root).as_posix()

    def receipts(self, key: str) -> tuple[Receipt, ...]:
        """Give every receipt that lies under a key.

        Raises
        ------
        RecordInvalid
            If one is not what was written, or cannot be read.
        """
        folder = self._place(key, "").parent
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            return ()
        except OSError as cause:
            way_out = "check its permissions"
            raise RecordInvalid(str(folder), "", f"cannot be read: {cause.strerror}", way_out) from cause
        return tuple(self._read(path) for path in paths if not self._is_seen_by_now(path))

    def _is_whole(self, original: StoredFile) -> bool:
        """Tell whether an original is still what was sent; one that is not counts as lost."""
        with contextlib.suppress(FileMissing):
            return sha256_file(self.root / original.path) == original.sha256
        return False

    def _place(self, key: str, call_id: str, kind: str = "") -> Path:
        return self.root / FOLDER / "receipts" / key[:2] / key / f"{call_id}{kind}.json"

    def _is_seen_by_now(self, path: Path) -> bool:
        """Tell whether a receipt of the header alone has another beside it, as a kill between the two leaves it."""
        return path.stem.endswith(UNSEEN) and _seen_place(path).is_file()

    def _write(self, path: Path, receipt: Receipt) -> None:
        create_atomic(path, (receipt.model_dump_json(indent=2, by_alias=True) + "\n").encode())

    def _read(self, path: Path) -> Receipt:
        try:
            return Receipt.model_validate_json(path.read_bytes())
        except OSError as cause:
            if self._is_seen_by_now(path):
                return self._read(_seen_place(path))  # it was decoded at this very moment
            raise RecordInvalid(str(path), "", f"cannot be read: {cause.strerror}", "check its permissions") from cause
        except ValidationError as cause:
            first = cause.errors(include_url=False)[0]
            raise RecordInvalid(str(path), "", first["msg"], "restore the file from a copy") from None


def _seen_place(unseen: Path) -> Path:
    return unseen.with_stem(unseen.stem.removesuffix(UNSEEN))


def _suffix_of(data: bytes) -> str:
    """Give how the name of an answer ends, by what its first bytes say that it is."""
    with contextlib.suppress(PictureUnreadable, PictureTooLarge):
        return SUFFIXES.get(images.probe(data).media_type.value, ".bin")
    return ".bin"


def _seen(receipt: Receipt, info: images.PictureInfo | None, problem: str, says: str) -> Receipt:
    """Add to a receipt what the bytes are, or what is wrong with them."""
    known: dict[str, Any] = {"usable": info is not None and not says, "says": says or problem}
    if info is not None:
        known |= {"media_type": info.media_type.value, "width": info.width, "height": info.height}
    return Receipt.model_validate(receipt.model_dump(by_alias=True) | known)


def _looked_at(
    data: bytes, provider: str, look: Callable[[bytes, str], images.PictureInfo]
) -> tuple[images.PictureInfo | None, str]:
    """Give what an answer is, or what is wrong with it."""
    if len(data) > LARGEST_BYTES:
        return None, f"{provider} sent {len(data):,} bytes; a picture has at most {LARGEST_BYTES:,}"
    try:
        return look(data, f"the answer of {provider}"), ""
    except (PictureUnreadable, PictureTooLarge) as problem:
        return None, str(problem)


def _header_of(data: bytes, name: str) -> images.PictureInfo:
    return images.probe_whole(data, name=name)


def _decoded(data: bytes, name: str) -> images.PictureInfo:
    images.load(data, name=name)
    return images.probe(data, name=name)
