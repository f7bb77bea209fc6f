"""Finds circles in directed graphs."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Set

Graph = Mapping[str, Set[str]]


def circles(graph: Graph) -> list[list[str]]:
    """One shortest circle for each group of nodes that all reach each other, as ``[a, b, a]``.

    Empty where every arrow points one way.
    """
    return [_shortest(graph, group) for group in groups(graph)]


def groups(graph: Graph) -> list[set[str]]:
    """The sets of two or more nodes (or one that points at itself) that all reach each other."""
    reach = {node: _reached(graph, node) for node in graph}
    found: list[set[str]] = []
    for node in sorted(graph):
        if node in reach[node] and not any(node in group for group in found):
            found.append({other for other in reach[node] if node in reach.get(other, ())})
    return found


def _reached(graph: Graph, start: str) -> set[str]:
    """The nodes that some path of at least one arrow leads to."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = set(graph.get(waiting.pop(), ())) - seen
        seen |= new
        waiting.extend(new)
    return seen


def _shortest(graph: Graph, group: Set[str]) -> list[str]:
    """The shortest circle within a group; the first by name where several are as short."""
    return min((_back_to(graph, node, group) for node in sorted(group)), key=len)


def _back_to(graph: Graph, start: str, group: Set[str]) -> list[str]:
    """The shortest way from a node back to itself within its group."""
    paths = deque([[start]])
    seen: set[str] = set()
    while paths:
        path = paths.popleft()
        for node in sorted(graph[path[-1]] & group - seen):
            if node == start:
                return [*path, start]
            seen.add(node)
            paths.append([*path, node])
    raise ValueError(f"{start} is not in a circle")
