"""Names of layers, from those that nodes and weights have in ONNX's files."""

from __future__ import annotations

import re
from collections.abc import Sequence

# The end of a weight's name, which says what it is of its layer.
WEIGHT = re.compile(
    r"[./:]((weight|bias|kernel|gamma|beta|alpha|w|b|scale)(:0)?|\w*_(kernel|weight)|\w*kernel"
    r"|running_(mean|var)|moving_(mean|variance)(:0)?|Read\w*(/\w+)*(:\d+)?)$",
    re.IGNORECASE,
)
# The end of a node's name, which says what it does, and not what it is a part of.
OPERATOR = re.compile(r"(^|/)([A-Z][A-Za-z0-9]*|relu|softmax|transpose)([_:]+\d+)*$")
# What programs call nodes and inputs that nobody named.
NAMELESS = re.compile(
    r"(p2o\.|onnx::|n|op|t|val_?)?([A-Z][A-Za-z0-9]*)?[_.:]*\d*|node_\w+|unnamed|graph|main_graph|tf2onnx"
    r"|torch.jit.export|torch_jit|input_?\d+|CNTKGraph|mxnet_converted_model"
)


def layer_name(node: str, weight: str) -> str:
    """Return what a layer may be called after its node and its first weight; "" where nobody gave a name.

    Args:
        node: the node's name.
        weight: the name of the first of its weights, "" for none.

    Example:
        >>> layer_name("/features/conv1/Conv", "features.conv1.weight")
        'conv1'
        >>> layer_name("Conv_0", "12")
        ''
    """
    for name, ending in ((weight, WEIGHT), (node, OPERATOR)):
        if name and (found := ending.search(name)):
            name = name[: found.start()]
            while ending is WEIGHT and (more := OPERATOR.search(name)):
                name = name[: more.start()]
        elif name is weight:
            continue
        if cleaned := clean(name):
            return cleaned
    return ""


def clean(name: str) -> str:
    """Return the last part of a name that somebody gave, as a layer's name may be; "" if there is none."""
    part = name.rstrip("/").rsplit("/", 1)[-1]
    if NAMELESS.fullmatch(part):
        return ""
    *before, last = [one for one in part.split(".") if one] or [""]
    if last.isdigit() and before:  # of a torch.nn.Sequential: its name, and the layer's number in it
        last = f"{before[-1]}_{last}"
    found = re.sub(r"[^A-Za-z0-9_-]+", "_", last).strip("_-")[:64]
    return "" if NAMELESS.fullmatch(found) else found


def unique(names: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """Return names that differ: those suggested, or one as in Keras after the class: conv2d, conv2d_1, dense.

    Example:
        >>> unique(["", "a", "a", ""], ["Dense", "Dense", "ReLU", "Dense"])
        ['dense', 'a', 'a_1', 'dense_1']
    """
    found: list[str] = []
    taken = {name for name in names if name}
    first = {name: place for place, name in reversed([*enumerate(names)])}
    counts: dict[str, int] = {}
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        start = chosen = name or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
        while chosen in taken and not (name and first[name] == place):
            counts[start] = counts.get(start, 0) + 1
            chosen = f"{start}_{counts[start]}"
        taken.add(chosen)
        found.append(chosen)
    return found
