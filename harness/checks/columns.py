"""Columns of a table as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


def ints(table: pa.Table, name: str) -> Ints:
    """A column of integers, as one array."""
    return np.asarray(table.column(name).to_numpy(), dtype=np.int64)


def is_one_of(table: pa.Table, name: str, *words: str) -> Flags:
    """Where a dictionary column holds one of these words. Looks at its codes, never at each row's text."""
    parts = [_chunk_is(chunk, words) for chunk in table.column(name).chunks]
    return np.concatenate(parts) if parts else np.empty(0, np.bool_)


def _chunk_is(chunk: Any, words: tuple[str, ...]) -> Flags:
    known = np.array([word in words for word in chunk.dictionary.to_pylist()] or [False], np.bool_)
    return np.asarray(known[chunk.indices.to_numpy(zero_copy_only=False)], np.bool_)


def says(table: pa.Table, name: str, *words: str) -> Flags:
    """Where a column of texts is one of these words; null is none of them."""
    found = pc.is_in(table.column(name), value_set=pa.array(words, pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)


def numbers(table: pa.Table, name: str) -> Ints:
    """A column of texts as the whole numbers they write; 0 for none, -1 for what is no number."""
    column = pc.coalesce(table.column(name), pa.scalar(""))
    digits = pc.match_substring_regex(column, r"^[0-9]{1,18}$")
    otherwise = pc.if_else(pc.equal(column, pa.scalar("")), pa.scalar("0"), pa.scalar("-1"))
    return np.asarray(pc.cast(pc.if_else(digits, column, otherwise), pa.int64()), np.int64)


def rows(table: pa.Table, chosen: Flags) -> pa.Table:
    """Only these rows."""
    return table.filter(pa.array(chosen))


def words(table: pa.Table, name: str) -> list[str]:
    """Every different word of a column, in order."""
    return sorted(str(word) for word in table.column(name).unique().to_pylist() if word is not None)


def starts(table: pa.Table, name: str, beginning: str) -> Flags:
    """Where a column of texts begins so."""
    found = pc.starts_with(table.column(name), beginning)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)


def numbered(columns: Mapping[str, pa.ChunkedArray[Any]]) -> tuple[pa.StringArray, Mapping[str, Ints]]:
    """Every text of all these columns once, and each column as positions among them."""
    chunks = [chunk for column in columns.values() for chunk in column.chunks]
    encoded: Any = pa.chunked_array(chunks, pa.string()).dictionary_encode()
    if not encoded.num_chunks:
        return pa.array([], pa.string()), {name: np.empty(0, np.int64) for name in columns}
    # The chunks of one encoding mostly share their dictionary already; to unify them anew takes as long as to encode.
    if len({len(chunk.dictionary) for chunk in encoded.chunks}) > 1:
        encoded = encoded.unify_dictionaries()
    codes = np.concatenate([chunk.indices.to_numpy(zero_copy_only=False) for chunk in encoded.chunks])
    bounds = np.cumsum([len(column) for column in columns.values()])[:-1]
    parts = np.split(codes.astype(np.int64), bounds)
    return encoded.chunk(0).dictionary, dict(zip(columns, parts, strict=True))


def texts(table: pa.Table, name: str) -> list[str]:
    """A short column of texts."""
    return [str(value) for value in table.column(name).to_pylist()]
