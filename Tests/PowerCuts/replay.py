"""What a disk may hold after a power cut: the log of `disk.c`, cut anywhere.

What was written before a sync began is on the disk once that sync has ended. Of everything else any part may be
missing: whole writes, or sectors of them, in any order; a sector holds what it held at some moment since its
last sync. The same holds for names: a file that was made or removed may be there or not until its folder was
synced. What a failed sync was to bring to the disk is never certain again, until it is written anew.
"""

from __future__ import annotations

import mmap
import random
import struct
from collections.abc import Iterator
from pathlib import Path

CREATED, WRITTEN, RESIZED, REMOVED, SYNC_BEGAN, SYNC_ENDED, SYNC_FAILED, ANSWERED, MARKED = range(1, 10)
_HEAD = struct.Struct("<IIQQQ")
FOLDER = 0
SECTOR, PAGE = 512, 4096


class Record:
    """One line of the log."""

    __slots__ = ("kind", "process", "file", "offset", "data")

    def __init__(self, kind: int, process: int, file: int, offset: int, data: bytes):
        self.kind, self.process, self.file, self.offset, self.data = kind, process, file, offset, data


def read_log(path: Path) -> list[Record]:
    records = []
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        at = 0
        while at + _HEAD.size <= len(text):
            kind, process, inode, offset, length = _HEAD.unpack_from(text, at)
            at += _HEAD.size
            records.append(Record(kind, process, inode, offset, text[at:at + length]))
            at += length
    return records


class Change:
    """A write (data) or a new size (no data) that no sync has brought to the disk yet."""

    __slots__ = ("number", "offset", "data", "is_doubtful")

    def __init__(self, number: int, offset: int, data: bytes | None):
        self.number, self.offset, self.data = number, offset, data
        # A sync of it has failed: the system believes that it is clean, and no later sync writes it.
        self.is_doubtful = False


def put(image: bytearray, offset: int, data: bytes) -> None:
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset:offset + len(data)] = data


def resize(image: bytearray, size: int) -> None:
    if size < len(image):
        del image[size:]
    else:
        image.extend(bytes(size - len(image)))


class File:
    """What of a file is on the disk for certain, and what is on its way there, in the order of its making."""

    def __init__(self):
        self.durable = bytearray()
        self.pending: list[Change] = []

    def sync(self, before: int) -> None:
        """Everything up to that number is on the disk, but for what was lost on the way."""
        late = [change for change in self.pending if change.number >= before]
        doubtful = [change for change in self.pending if change.number < before and change.is_doubtful]
        certain = [change for change in self.pending if change.number < before and not change.is_doubtful]
        for change in certain:
            if change.data is None:
                resize(self.durable, change.offset)
            else:
                put(self.durable, change.offset, change.data)
        self.pending = (_less(doubtful, certain) if doubtful else []) + late

    def fail(self, before: int) -> None:
        for change in self.pending:
            change.is_doubtful = change.is_doubtful or (change.number < before and change.data is not None)

    def cut(self, chance: random.Random) -> bytearray:
        """One of the contents that a cut now may leave."""
        image = bytearray(self.durable)
        mode = chance.choice(["none", "all", "ordered", "sectors", "pages", "sectors"])
        if not self.pending or mode == "none":
            return image
        if mode == "all":
            _Torn(chance, None, SECTOR).apply(self.pending, image)
        elif mode == "ordered":
            last = chance.choice(self.pending)
            whole = [change for change in self.pending if change.number < last.number]
            _Torn(chance, None, SECTOR).apply(whole, image)
            _Torn(chance, [last.number], SECTOR).apply([last], image)
        else:
            numbers = [change.number for change in self.pending]
            _Torn(chance, numbers, SECTOR if mode == "sectors" else PAGE).apply(self.pending, image)
        return image


def _less(old: list[Change], new: list[Change]) -> list[Change]:
    """What of old writes newer ones have not overwritten."""
    left = []
    writes = [(change, set(_pages(change))) for change in new if change.data is not None]
    pages = set().union(*(pages for _, pages in writes))
    for change in old:
        pieces = [change]
        if not pages.isdisjoint(_pages(change)):
            for write, its_pages in writes:
                if not its_pages.isdisjoint(_pages(change)):
                    pieces = [rest for piece in pieces for rest in _without(piece, write)]
        left += pieces
    return left


def _pages(change: Change) -> range:
    return range(change.offset // PAGE, (change.offset + len(change.data) - 1) // PAGE + 1)


def _without(old: Change, new: Change) -> Iterator[Change]:
    end, cover = old.offset + len(old.data), new.offset + len(new.data)
    if old.number > new.number or cover <= old.offset or end <= new.offset:
        yield old
        return
    for start, stop in [(old.offset, min(end, new.offset)), (max(old.offset, cover), end)]:
        if start < stop:
            piece = Change(old.number, start, old.data[start - old.offset:stop - old.offset])
            piece.is_doubtful = True
            yield piece


class _Torn:
    """Brings to the disk what chance allows: of each sector all changes up to a moment of its own."""

    def __init__(self, chance: random.Random, numbers: list[int] | None, size: int):
        self.chance, self.numbers, self.size = chance, numbers, size
        self.moments: dict[int, float] = {}
        # Where a file has grown and its data has not arrived there are zeros, or what was there before.
        self.holes = chance.choice([None, b"\0", bytes([chance.randrange(256)])])

    def apply(self, changes: list[Change], image: bytearray) -> None:
        for change in changes:
            if change.data is None:
                if self.numbers is None or self.chance.random() < 0.5:
                    resize(image, change.offset)
                continue
            if self.numbers is None:
                put(image, change.offset, change.data)
                continue
            end = change.offset + len(change.data)
            if self.holes is not None and len(image) < end:
                image.extend(self.holes * (end - len(image)))
            for sector in range(change.offset // self.size, (end - 1) // self.size + 1):
                if change.number > self._moment(sector):
                    continue
                start, stop = max(change.offset, sector * self.size), min(end, (sector + 1) * self.size)
                put(image, start, change.data[start - change.offset:stop - change.offset])

    def _moment(self, sector: int) -> float:
        if sector not in self.moments:
            dice = self.chance.random()
            self.moments[sector] = (
                -1 if dice < 0.4 else float("inf") if dice < 0.8 else self.chance.choice(self.numbers))
        return self.moments[sector]


class Disk:
    """The database's files while the log is played; `cut` asks what a power cut at this moment leaves."""

    def __init__(self):
        self.files: dict[int, File] = {}
        # What each name may mean after a cut: the first is durable, the others came since, with their numbers.
        self.names: dict[str, list[tuple[int, File | None]]] = {}
        self.begun: dict[int, tuple[int, int]] = {}

    def play(self, number: int, record: Record) -> None:
        kind = record.kind
        if kind == CREATED:
            file = self.files[record.file] = File()
            self._name(record.data.decode(), number, file)
        elif kind == REMOVED:
            self._name(record.data.decode(), number, None)
        elif kind == WRITTEN:
            self.files[record.file].pending.append(Change(number, record.offset, record.data))
        elif kind == RESIZED:
            self.files[record.file].pending.append(Change(number, record.offset, None))
        elif kind == SYNC_BEGAN:
            self.begun[record.offset] = (number, record.file)
        elif kind in (SYNC_ENDED, SYNC_FAILED):
            before, file = self.begun.pop(record.offset)
            if file != FOLDER:
                # Two syncs of one file at once: each brings what was there when it began.
                (self.files[file].sync if kind == SYNC_ENDED else self.files[file].fail)(before)
            elif kind == SYNC_ENDED:
                self._sync_names(before)

    def cut(self, chance: random.Random) -> dict[str, bytearray]:
        """The contents of the files that are there, by the endings of their names."""
        found = {}
        for name, meanings in self.names.items():
            file = chance.choice([meanings[0], meanings[-1], chance.choice(meanings)])[1]
            if file is not None:
                found[name] = file.cut(chance)
        return found

    def _name(self, name: str, number: int, file: File | None) -> None:
        self.names.setdefault(name, [(-1, None)]).append((number, file))

    def _sync_names(self, before: int) -> None:
        for name, meanings in self.names.items():
            durable = [meaning for meaning in meanings if meaning[0] < before][-1]
            self.names[name] = [durable] + [meaning for meaning in meanings if meaning[0] >= before]
