"""Keys of cells and links: the names their draws are keyed on, as numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nts_sim.luck.draws import name_key
from nts_sim.world.model import World

Keys = NDArray[np.uint64]

_WORLDS = 64


def _cell_names(world: World) -> list[str]:
    pairs = zip(world.cells.threat.tolist(), world.cells.node.tolist(), strict=True)
    return [f"{world.threats.name[t]}@{world.nodes.code[n]}" for t, n in pairs]


@lru_cache(maxsize=_WORLDS)
def cell_keys(world: World) -> Keys:
    """Key of each cell, from the names of its threat and node; array [cell]."""
    return np.array([name_key(name) for name in _cell_names(world)], dtype=np.uint64)


@lru_cache(maxsize=_WORLDS)
def link_keys(world: World) -> Keys:
    """Key of each link, from the names of its cells and its layer; array [link]."""
    names, links = _cell_names(world), world.links
    ends = zip(links.source.tolist(), links.target.tolist(), links.layer, strict=True)
    keys = [name_key(f"{names[a]}>{names[b]}/{layer}") for a, b, layer in ends]
    return np.array(keys, dtype=np.uint64)
