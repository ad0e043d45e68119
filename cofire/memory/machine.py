"""What the machine has to give; read where readers of images can ask it too."""

from microstructures.machine_memory import STATED_BY, available_memory_bytes, gigabytes

__all__ = ["STATED_BY", "available_memory_bytes", "gigabytes"]
