"""Values as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: numbers of numpy as numbers, paths as text, what is not finite as null.

    Examples
    --------
    >>> from pathlib import PurePosixPath
    >>> plain({"a": float("nan"), "b": (1, PurePosixPath("c/d"))})
    {'a': None, 'b': [1, 'c/d']}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, PurePath) else value
