from __future__ import annotations

import ast
import functools
import inspect
import re
import types
from pathlib import Path

import pytest

import tinynet
from tinynet import (
    callbacks,
    constraints,
    data,
    datasets,
    generators,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optim,
    plotting,
    recipes,
    regularizers,
    utils,
)
from tinynet.keras.names import NAMES

PACKAGE = Path(tinynet.__file__).parent

# From the lowest to the highest: a module imports only what stands before it, or its own folder.
ORDER = [
    "files", "version", "names", "views", "words", "keywords", "tensor", "masked", "order", "waiting",
    "seeds", "kernels", "elementary", "execution", "distributed", "initial_values", "initializers",
    "regularizers", "constraints", "layers", "activations", "loss_functions", "losses", "arguments",
    "schedules", "optimizers", "optim", "metric_functions", "metrics", "data", "callbacks", "training",
    "exporting", "models", "lite", "differences", "gradcheck", "recipes", "images", "generators",
    "datasets", "readings", "gallery", "number_reading", "calibration", "picture_format", "answers",
    "reader", "segmentation", "recognition", "inference", "plotting", "utils", "sklearn", "keras", "nn",
    "random", "tensorflow", "__init__", "conversion", "doctor", "commands", "__main__",
]  # fmt: skip
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))

# Who may import what, at the top of the module; the others may not, not even inside of a function.
OPTIONAL = {
    "numba": {"kernels"},
    "llvmlite": {"kernels"},
    "matplotlib": {"plotting"},
    "PIL": {"images"},
    "flatbuffers": set(),
    "ai_edge_litert": set(),
    "onnx": set(),
    "google": set(),
    "sklearn": {"sklearn"},
    "django": set(),
}
FORBIDDEN = {"torch", "tensorflow", "keras", "jax", "scipy", "pickle", "marshal", "shelve"}


def part_of(module):
    """The part of the package that a module belongs to: its folder, or its own name."""
    return module.parts[0].removesuffix(".py")


@functools.cache
def imports(module):
    """The absolute names of what a module imports, for types, too, and whether that is at its top."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    package = ["tinynet", *module.parts[:-1]]
    found = []

    def visit(node, top):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            top = False
        if isinstance(node, ast.Import):
            found.extend((name.name, top) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            found.extend((f"{base}.{name.name}", top) for name in node.names)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, top and not inside)

    visit(tree, True)
    return found


def test_the_design_names_every_module_once_and_in_order():
    text = (Path(__file__).parent.parent / "docs" / "design.md").read_text("utf-8")
    said = {}
    for line in text.split("```")[1].splitlines()[2:]:
        if part := re.match(r"  (\w+)(?:/|\.py) ", line):
            said[part[1]] = []
        said[list(said)[-1]] += re.findall(r"[\w/]+(?=\.py)", line)
    order = [part for part in ORDER if part != "__init__"]
    order.insert(order.index("plotting"), "pretrained")  # holds weights, and no modules
    assert list(said) == order
    for part, names in said.items():
        folder = PACKAGE / part
        inside = {
            path.relative_to(folder).with_suffix("").as_posix()
            for path in folder.rglob("*.py")
            if path.stem != "__init__"
        }
        if part == "keras":  # the others are Keras's modules, which say no more than their names
            inside = {name for name in inside if "/" not in name} - {*NAMES}
        assert sorted(names) == (sorted(inside) if inside else [part] * (part != "pretrained"))


def test_nothing_imports_upward():
    for module in MODULES:
        own = ORDER.index(part_of(module))  # an unknown module has to be given its place in ORDER
        for name, _ in imports(module):
            root, *rest = name.split(".")
            if root == "tinynet":
                other = rest[0] if rest and rest[0] in ORDER else "__init__"
                assert ORDER.index(other) < own or other == part_of(module), f"{module} imports {name}"


def file_of(name):
    """The module, as in MODULES, that an absolute name is or lies in; None outside of the package."""
    parts = name.split(".")[1:] if name.split(".")[0] == "tinynet" else None
    while parts:
        for path in (Path(*parts).with_suffix(".py"), Path(*parts, "__init__.py")):
            if path in MODULES:
                return path
        parts.pop()
    return None if parts is None else Path("__init__.py")


def test_no_import_runs_in_a_circle():
    uses = {module: {file_of(name) for name, _ in imports(module)} for module in MODULES}
    while uses:  # take away those that use no other, until none is left
        ground = [module for module, used in uses.items() if not (used - {module}) & uses.keys()]
        assert ground, f"among {sorted(map(str, uses))} some import each other in a circle"
        for module in ground:
            del uses[module]


# Longer than 300 lines, because they hold one idea: what a layer is, as a part of a tree and as what
# computes; models, with the docstrings of all that people call; batch normalisation, in steps between which
# shards meet.
LONG = [
    "layers/tree.py",
    "layers/base.py",
    "models/model.py",
    "models/trainable.py",
]


def test_no_file_is_long_without_a_reason():
    lengths = {module: len((PACKAGE / module).read_text("utf-8").splitlines()) for module in MODULES}
    assert sorted(map(Path, LONG)) == [module for module, length in lengths.items() if length > 300]
    assert max(lengths.values()) < 400


def test_only_the_right_modules_import_heavy_libraries():
    found = [(module, name, top) for module in MODULES for name, top in imports(module)]
    for module, name, top in found:
        root = name.split(".")[0]
        assert root not in FORBIDDEN, f"{module} imports {name}"
        if root in OPTIONAL:
            assert part_of(module) in OPTIONAL[root] or not top, f"{module} imports {name}"
        if root in ("numba", "llvmlite"):
            assert part_of(module) == "kernels", f"{module} imports {name}"


def test_the_imports_are_really_found():
    names = [name for name, _ in imports(Path("models", "model.py"))]
    assert "tinynet.layers.flow.Flow" in names
    assert "tinynet.layers.config.layer_config" in names
    assert ("numba", True) in imports(Path("kernels", "jit.py"))
    assert ("safetensors.safe_open", False) in imports(Path("files", "model_file.py"))
    assert ("tinynet.kernels.program", False) in imports(Path("kernels", "__init__.py"))  # for types
    assert file_of("tinynet.layers.config.layer_config") == Path("layers", "config.py")
    assert file_of("tinynet.kernels") == Path("kernels", "__init__.py")
    assert file_of("numpy.ndarray") is None


def test_nothing_loads_pickled_arrays():
    assert not [module for module in MODULES if "allow_pickle=True" in (PACKAGE / module).read_text("utf-8")]


def test_importing_tinynet_imports_nothing_heavy_and_compiles_nothing(run_python):
    # Without numba nothing can have been compiled.
    printed = run_python("""
import sys
import tinynet
heavy = ["numba", "llvmlite", "matplotlib", "PIL", "torch", "tqdm", "safetensors", "platformdirs",
         "flatbuffers", "ai_edge_litert", "sklearn", "joblib"]
print([name for name in heavy if name in sys.modules])
""")
    assert printed == "[]\n"


PUBLIC_MODULES = [
    tinynet, tinynet.activations, layers, losses, optim, callbacks, data, initializers, metrics, utils,
    generators, constraints, regularizers, models, plotting, recipes, tinynet.lite, tinynet.random, datasets,
    datasets.mnist, datasets.fashion_mnist, datasets.kmnist, datasets.emnist, datasets.cifar10,
    datasets.cifar100,
]  # fmt: skip


def public_things():
    for module in PUBLIC_MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                yield f"{module.__name__}.{name}", value


PUBLIC_THINGS = list(public_things())


def test_every_public_class_and_function_has_an_example():
    for title, thing in PUBLIC_THINGS:
        own = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
        assert own, f"{title} has no docstring of its own"
        assert "Example:" in own, title
        assert ">>> " in own, title


def test_every_public_method_has_a_docstring():
    for title, thing in PUBLIC_THINGS:
        if not inspect.isclass(thing) or thing is optim.Parameter:  # a protocol; the class explains it
            continue
        for name, value in vars(thing).items():
            if not name.startswith("_") and isinstance(value, types.FunctionType | property | staticmethod):
                assert inspect.getdoc(getattr(thing, name)), f"{title}.{name} has no docstring"


@pytest.mark.parametrize("module", [*PUBLIC_MODULES, tinynet.keras], ids=lambda module: module.__name__)
def test_completion_offers_what_is_public(module):
    beside = ["__version__", "generators", *tinynet.LAZY] if module is tinynet else []
    assert all(hasattr(module, name) for name in module.__all__)
    assert dir(module) == sorted([*module.__all__, *beside])
    assert not {"Any", "annotations", "np"} & {*dir(module)}


@pytest.mark.parametrize("module", PUBLIC_MODULES, ids=lambda module: module.__name__)
def test_what_a_module_defines_for_others_is_public(module):
    own = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
    assert own <= {*module.__all__}


def test_every_module_says_what_it_is_for():
    for module in MODULES:
        assert ast.get_docstring(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))), module
