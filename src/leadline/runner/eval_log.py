"""Eval logs of unknown origin, read within bounds.

A log is an archive whose members may unfold a thousandfold and whose index can be read in more than one
way. So only the members that are wanted are taken out, each inflated here against a bound and its checksum,
and written unpacked to an archive of our own; Inspect's reader is given that one.
"""

import json
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import zstandard
from inspect_ai.log import (
    EvalLog,
    EvalSampleSummary,
    read_eval_log,
    read_eval_log_sample_summaries,
    read_eval_log_samples,
)

from leadline.core.errors import Invalid, NotFound
from leadline.runner.results import DAMAGE

_ZIP = b"PK"
_HEADS = re.compile(r"header\.json|_journal/start\.json|_journal/config_updates/[^/]+\.json")
_SUMMARIES = re.compile(r"summaries\.json|_journal/summaries/\d+\.json")
_SAMPLES = re.compile(r"samples/.+\.json")
_LOCAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s4H2LH")
_LOCATOR, _END64 = struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_END_SIGN, _ELSEWHERE = b"PK\5\6", 0xFFFFFFFF
_COMMENT_BYTES_MAX = 0xFFFF


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much an archive may hold: its index packed, one member and all members unpacked, in bytes.

    A ``.json`` log has no index, and a reader takes several times its size.
    """

    index: int = 32 << 20
    member: int = 128 << 20
    members: int = 1 << 30
    json: int = 256 << 20


DEFAULT = Bounds()


@dataclass(frozen=True, slots=True)
class EvalLogRead:
    """Header and a summary of each sample.

    *settings* are what must be equal for two logs of one task to say the same of one model, as JSON by name.
    """

    header: EvalLog
    samples: tuple[EvalSampleSummary, ...]
    settings: Mapping[str, str]


def read(path: Path, bounds: Bounds = DEFAULT) -> EvalLogRead:
    """The log at *path*.

    Raises: NotFound, if there is none; Invalid, if it is empty, damaged, too large for its form, unfolds
    to more than *bounds*, or is no log of Inspect's.
    """
    if not path.is_file():
        raise NotFound(f"{path} is no file; name an eval log (.eval or .json)")
    size = path.stat().st_size
    if size == 0:
        raise Invalid(str(path), "is empty")
    try:
        if _is_archive(path):
            with tempfile.TemporaryDirectory(prefix="leadline-log-") as folder:
                copy = Path(folder) / "log.eval"
                _copy(path, copy, bounds)
                return _read(copy, "eval")
        if size > bounds.json:
            problem = (
                f"is a .json log of {size} bytes; convert it first: inspect log convert --to eval"
            )
            raise Invalid(str(path), problem)
        json.loads(
            path.read_bytes()
        )  # refuses deep nesting, which Inspect's reader pays for in memory
        return _read(path, "json")
    except (*DAMAGE, RecursionError, zlib.error, zipfile.BadZipFile) as error:
        told = " ".join(str(error).split())[:300]
        raise Invalid(
            str(path), f"is no readable eval log: {type(error).__name__}: {told}"
        ) from error


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        begins = file.read(len(_ZIP)) == _ZIP
    return begins and zipfile.is_zipfile(path)


def _read(path: Path, form: Literal["eval", "json"]) -> EvalLogRead:
    header = read_eval_log(str(path), header_only=True, format=form)
    samples = tuple(read_eval_log_sample_summaries(str(path), format=form))
    if not samples:  # logs of older versions have no index of their samples
        whole = read_eval_log_samples(str(path), all_samples_required=False, format=form)
        samples = tuple(one.summary() for one in whole)
    return EvalLogRead(header, samples, _settings(header))


def _settings(header: EvalLog) -> Mapping[str, str]:
    spec = header.eval
    parts = {
        "model_args": spec.model_args,
        "model_base_url": spec.model_base_url,
        "model_roles": {role: repr(one) for role, one in sorted((spec.model_roles or {}).items())},
        "subject_digest": (spec.metadata or {}).get("subject_digest", ""),
        "generate": spec.model_generate_config.model_dump(mode="json", exclude_none=True),
        "task_version": spec.task_version,
        "task_args": spec.task_args,
        "solver": [spec.solver, spec.solver_args],
        "plan": [[step.solver, step.params] for step in header.plan.steps],
        "sandbox": str(spec.sandbox),
        "limits": spec.config.model_dump(
            mode="json",
            include={
                *("message_limit", "token_limit", "time_limit", "working_limit", "cost_limit"),
                "approval",
            },
        ),
    }
    return {name: json.dumps(part, sort_keys=True, default=str) for name, part in parts.items()}


def _copy(path: Path, copy: Path, bounds: Bounds) -> None:
    """Write the members of *path* that are wanted, unpacked, to an archive at *copy*."""
    with path.open("rb") as file:
        _check_index(file, path, bounds)
        with zipfile.ZipFile(file) as archive, zipfile.ZipFile(copy, "w") as ours:
            total = 0
            for member in _wanted(archive):
                data = _inflated(file, member, path, min(bounds.member, bounds.members - total))
                total += len(data)
                ours.writestr(member.filename, data)


def _wanted(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Header and summaries; where there are none, the samples. Of two with one name the last counts."""
    members = {one.filename: one for one in archive.infolist()}
    heads = [one for name, one in members.items() if _HEADS.fullmatch(name)]
    summaries = [one for name, one in members.items() if _SUMMARIES.fullmatch(name)]
    yield from heads
    yield from summaries or [one for name, one in members.items() if _SAMPLES.fullmatch(name)]


def _check_index(file: BinaryIO, path: Path, bounds: Bounds) -> None:
    """Raises: Invalid, where the archive's list of members is larger than the bound.

    `zipfile` reads it whole before it can be asked. The end record is found as `zipfile` finds it, which has
    said that there is one.
    """
    size = file.seek(0, 2)
    start = max(0, size - _COMMENT_BYTES_MAX - _END.size)
    file.seek(start)
    tail = file.read()
    bare = len(tail) - _END.size
    whole = bare >= 0 and tail.startswith(_END_SIGN, bare) and tail.endswith(b"\0\0")
    at = bare if whole else tail.rfind(_END_SIGN)
    told, lengths = _END.unpack_from(tail, at)[5], []
    file.seek(max(0, start + at - _LOCATOR.size))
    sign, _, place, _ = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if sign == b"PK\6\7":  # sizes that 32 bits do not hold stand in a record of their own
        for before in (place, start + at - _LOCATOR.size - _END64.size):
            file.seek(min(max(0, before), size))
            record = file.read(_END64.size)
            if record.startswith(b"PK\6\6") and len(record) == _END64.size:
                lengths.append(_END64.unpack(record)[8])
    if told != _ELSEWHERE or not lengths:
        lengths.append(told)
    if max(lengths) > bounds.index:
        raise Invalid(str(path), f"lists its members in more than {bounds.index} bytes")


def _inflated(file: BinaryIO, member: zipfile.ZipInfo, path: Path, most: int) -> bytes:
    """The content of *member*; no announced length is relied upon.

    Raises: Invalid, over *most* bytes, or where the content is not the one that was written.
    """
    place = f"{path}, {member.filename[:80]!a}"
    if member.compress_size > most:
        raise Invalid(place, f"unfolds to more than {most} bytes")
    file.seek(member.header_offset)
    sign, *_, name_bytes, extra_bytes = _LOCAL.unpack(file.read(_LOCAL.size))
    file.seek(name_bytes + extra_bytes, 1)
    packed = file.read(member.compress_size)
    data = _unpacked(packed, member.compress_type, most + 1)
    if len(data) > most:
        raise Invalid(place, f"unfolds to more than {most} bytes")
    if sign != b"PK\x03\x04" or zlib.crc32(data) != member.CRC:
        raise Invalid(place, "is damaged: it is not what its checksum says")
    return data


def _unpacked(packed: bytes, method: int, most: int) -> bytes:
    """Up to *most* bytes of what was *packed*."""
    match method:  # APPNOTE.TXT 4.4.5
        case 0:
            return packed[:most]
        case 8:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
        case 93:
            with zstandard.ZstdDecompressor().stream_reader(
                packed, read_across_frames=True
            ) as stream:
                return stream.read(most)
        case _:
            raise NotImplementedError(f"compression method {method}")
