"""The rules of the house, held by tests."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.api.auth import MARK, AuthMark
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.jobs.message import Message
from webapp.jobs.messages import MESSAGES
from webapp.jobs.queues import Queue
from webapp.settings import Settings
from workers.broker import make_celery
from workers.handlers import HANDLERS

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("webapp", "workers")
LONGEST_FUNCTION = 40
LONGEST_FILE = 400


def modules(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield each module of some folders with its syntax tree."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    docstring = ast.get_docstring(function, clean=False)
    described = 0 if docstring is None else docstring.count("\n") + 1
    return (function.end_lineno or 0) - function.lineno + 1 - described


@pytest.fixture(scope="module")
def bare_app() -> ImprintApp:
    """The API, connected to nothing."""
    return create_app(Settings(_env_file=None))


def test_every_view_wears_an_auth_mark(bare_app: ImprintApp) -> None:
    unmarked = [
        endpoint
        for endpoint, view in bare_app.view_functions.items()
        if not isinstance(getattr(view, MARK, None), AuthMark)
    ]
    assert unmarked == []


def test_every_view_of_the_api_is_in_its_document(bare_app: ImprintApp) -> None:
    document = bare_app.test_client().get("/openapi.json").get_json()
    documented = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    routed = {
        (method, re.sub(r"<(?:int:|path:)?(\w+)>", r"{\1}", rule.rule))
        for rule in bare_app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert documented == routed


def test_public_views_ask_for_no_token_and_the_others_do(bare_app: ImprintApp) -> None:
    document = bare_app.test_client().get("/openapi.json").get_json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            blueprint, _, view = operation["operationId"].partition("_")
            mark = getattr(bare_app.view_functions[f"{blueprint}.{view}"], MARK)
            security = operation.get("security")
            assert bool(security) == (mark.permission is not None or mark.knows_callers), (
                method,
                path,
            )
            assert ({} in (security or [])) == mark.knows_callers, (method, path)
            assert operation.get("x-permission") == mark.permission, (method, path)


def test_no_two_shapes_of_the_api_have_one_name() -> None:
    """The document knows them by their names, and the last of two would stand for both."""
    names = [
        node.name
        for _, tree in modules("webapp/api")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and {"BaseModel", "Input"} & {getattr(base, "id", "") for base in node.bases}
    ]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def _kinds_below(parent: type[Message]) -> Iterator[type[Message]]:
    """Return every message that has a kind; parents of several have none."""
    for message in parent.__subclasses__():
        if message.__module__.startswith("webapp.") and "kind" in vars(message):
            yield message
        yield from _kinds_below(message)


def test_every_kind_of_job_has_one_handler_and_a_name_of_noun_and_verb() -> None:
    assert set(HANDLERS) == set(MESSAGES)
    assert set(MESSAGES.values()) == set(_kinds_below(Message))
    for kind, message in MESSAGES.items():
        noun, _, verb = kind.partition(".")
        assert noun
        assert verb
        assert HANDLERS[kind].message is message


def test_every_queue_is_declared_to_the_broker() -> None:
    declared = {queue.name for queue in make_celery(Settings(_env_file=None)).conf.task_queues}
    assert declared == {queue.value for queue in Queue}


def test_only_the_edges_commit() -> None:
    offenders = [
        f"{path}:{node.lineno}"
        for path, tree in modules("webapp/services", "webapp/jobs", "webapp/models", "webapp/kit")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"commit", "rollback"}
    ]
    assert offenders == []


def test_the_environment_is_read_by_the_settings_alone() -> None:
    offenders = [
        f"{path}:{node.lineno}"
        for path, tree in modules(*SHIPPED)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert offenders == []


def test_no_import_hides_in_a_function() -> None:
    offenders = [
        f"{path}:{inner.lineno}"
        for path, tree in modules(*SHIPPED, "dev", "bench")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert offenders == []


def test_no_function_and_no_file_outgrows_a_reader() -> None:
    long_functions = [
        f"{path}:{node.name} has {lines_of_code(node)} lines"
        for path, tree in modules(*SHIPPED, "dev", "bench", "tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and lines_of_code(node) > LONGEST_FUNCTION
    ]
    long_files = [
        f"{path} has {len((ROOT / path).read_text().splitlines())} lines"
        for path, _ in modules(*SHIPPED, "dev", "bench", "tests")
        if len((ROOT / path).read_text().splitlines()) > LONGEST_FILE
    ]
    assert long_functions == []
    assert long_files == []


def test_packages_import_nothing() -> None:
    for package in SHIPPED:
        tree = ast.parse((ROOT / package / "__init__.py").read_text())
        assert all(isinstance(node, ast.Expr) for node in tree.body), package
    assert not (ROOT / "alembic" / "__init__.py").exists()


def is_time_passed(node: ast.AST) -> bool:
    """Say whether an expression is the difference of a moment of the clock and another one."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and any(
            isinstance(part, ast.Attribute) and part.attr in {"monotonic", "perf_counter", "time"}
            for part in ast.walk(node)
        )
    )


def test_no_test_judges_by_the_time_that_something_took() -> None:
    offenders = [
        f"{path}:{node.lineno}"
        for path, tree in modules("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Lt | ast.LtE) for operator in node.ops)
        and any(is_time_passed(part) for part in ast.walk(node))
    ]
    assert offenders == []


def test_decisions_are_numbered_one_by_one() -> None:
    found = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in found] == list(range(1, len(found) + 1))
    for page in found:
        assert page.read_text(encoding="utf-8").startswith(f"# {int(page.name[:4])}. "), page.name
