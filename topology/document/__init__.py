"""YAML as this project reads it: every value knows where it stands, and every complaint says so.

`load` is the only way a YAML file enters the project. It gives a tree of `Scalar`, `Items` and `Fields`, with
anchors, aliases and merge keys (`<<`) resolved. Plain words are read by the core schema of YAML 1.2, as
Compose does: `on` and `2020-01-01` are text, `1:30` is no number of seconds.
"""

from topology.document.errors import BadInput, Place, nearest, one_of, quoted
from topology.document.reading import load, load_all, parse, resolved
from topology.document.values import Fields, Items, Plain, Scalar, Tree, Value
from topology.document.writing import dump, write

__all__ = [
    "BadInput",
    "Fields",
    "Items",
    "Place",
    "Plain",
    "Scalar",
    "Tree",
    "Value",
    "dump",
    "load",
    "load_all",
    "nearest",
    "one_of",
    "parse",
    "quoted",
    "resolved",
    "write",
]
