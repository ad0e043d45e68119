"""A binary heap of nodes that remembers where each one stands, so that its key can fall: for Dijkstra and fast marching."""

from __future__ import annotations

from microstructures.jit import kernel


@kernel
def lower(heap, place, key, node, size):  # type: ignore[no-untyped-def]
    """Put a node into the heap, or move it up after its key fell; return the size of the heap.

    Parameters
    ----------
    heap : ndarray, int32
        Nodes, the least key first.
    place : ndarray of shape (n_nodes,), int32
        Position of each node in the heap, -1 outside.
    key : ndarray of shape (n_nodes,)
    node, size : int
    """
    at = place[node]
    if at < 0:
        at = size
        size += 1
    while at > 0:
        above = (at - 1) >> 1
        other = heap[above]
        if key[other] <= key[node]:
            break
        heap[at] = other
        place[other] = at
        at = above
    heap[at] = node
    place[node] = at
    return size


@kernel
def take_least(heap, place, key, size):  # type: ignore[no-untyped-def]
    """Take the first node out of the heap; return it and the size that remains."""
    least = heap[0]
    place[least] = -1
    size -= 1
    if size == 0:
        return least, size
    node = heap[size]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and key[heap[below + 1]] < key[heap[below]]:
            below += 1
        other = heap[below]
        if key[node] <= key[other]:
            break
        heap[at] = other
        place[other] = at
        at = below
    heap[at] = node
    place[node] = at
    return least, size
