"""The floors of the house: imports go down only, and no modules of one floor stand in a ring."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ["helpline.people", "intake", "referrals", "helpline"]  # from the ground up
# Imports inside a function that close a ring between two modules of one floor, each for its reason. Not to grow.
LATE = {
    ("helpline.people.notices", "helpline.people.tasks"): "a new notice wakes the task that sends it",
    ("intake.triage", "intake.models"): "a stored version of the questions is read by the reader of questions",
    ("intake.told", "intake.models.calls"): "for the type checker alone: what a call holds is read by the call itself",
    ("intake.models.cases", "intake.models.steps"): "for the type checker alone: a case knows its open steps",
    ("intake.actions.steps", "intake.actions.cases"): "the last step is done by closing the case",
}


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file, of all our code but the tests."""
    found = {}
    for top in ("helpline", "intake", "referrals"):
        for file in sorted((ROOT / top).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def floor(module: str) -> int:
    """0 is the ground. The most particular package counts: helpline.people is not the roof."""
    homes = [home for home in FLOORS if module == home or module.startswith(home + ".")]
    return FLOORS.index(max(homes, key=len))


@cache
def imports(module: str) -> list[tuple[str, bool]]:
    """What it imports of ours, and whether when it is loaded (and not inside a function or for types alone)."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    late = set()
    for node in ast.walk(tree):
        is_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_types:
            late |= {id(inner) for inner in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        for name in named(node, module):
            if name in modules():
                found.append((name, id(node) not in late))
    return found


def named(node: ast.AST, module: str) -> list[str]:
    """The modules that one import names: `from a import b` is a.b where that is a module, else a."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        package = module if modules()[module].name == "__init__.py" else module.rpartition(".")[0]
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*above, base] if base else above)
    inner = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in modules() else base for name in inner]


def rings(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected parts of more than one module (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            part = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(part) > 1:
                found.append(sorted(part))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def test_the_reader_reads():
    """So that an empty house does not pass."""
    assert len(modules()) > 60
    assert ("intake.models", True) in imports("referrals.models.referrals")
    assert ("helpline.people.tasks", False) in imports("helpline.people.notices")
    assert ("intake.actions", True) in imports("intake.views.cases")
    assert [
        floor(name) for name in ("helpline.people.access", "intake.gate", "referrals.states", "helpline.views")
    ] == [*range(4)]
    assert rings({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_go_down(module):
    up = [name for name, _ in imports(module) if floor(name) > floor(module)]
    assert up == [], f"{module} stands below {up}"


@pytest.mark.parametrize("level", range(len(FLOORS)), ids=FLOORS)
def test_no_ring_on_a_floor(level):
    here = [module for module in modules() if floor(module) == level]
    graph = {
        module: {name for name, _ in imports(module) if name in here and name != module and (module, name) not in LATE}
        for module in here
    }
    assert rings(graph) == []


def test_what_is_allowed_is_still_needed():
    for module, name in LATE:
        assert (name, False) in imports(module) and (name, True) not in imports(module)


def test_no_floor_knows_the_name_of_one_above():
    """Knowledge that goes up without an import: dotted names of upper floors in strings of lower ones."""
    found = []
    for module, file in modules().items():
        if ".migrations" in module:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            named_by = node.value if isinstance(node, ast.Constant) else None
            if isinstance(named_by, str) and named_by in modules() and floor(named_by) > floor(module):
                found.append((module, named_by))
    assert found == []


def test_there_is_no_other_house():
    """No other top-level app, and no core, common or utils."""
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages == {"helpline", "intake", "referrals"}
    forbidden = {"core", "common", "utils", "helpers", "services", "signals", "managers"}
    assert [name for name in modules() if forbidden & set(name.split("."))] == []
