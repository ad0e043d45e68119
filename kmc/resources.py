"""What a calculation used of the machine."""

from __future__ import annotations

import sys


def peak_memory_bytes() -> int:
    """Return the largest resident memory of this process so far [bytes]; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024
