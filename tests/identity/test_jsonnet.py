"""Programs of operators run in a box: they cannot reach out, and cannot outlast their second."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from identity import jsonnet


def test_it_calls_a_function_with_the_context() -> None:
    assert jsonnet.evaluate("function(ctx) {a: ctx.b + 1}", {"b": 1}) == {"a": 2}


def test_it_evaluates_what_is_no_function_as_it_is() -> None:
    assert jsonnet.evaluate("{a: [1, null, 'ü']}", {"b": 1}) == {"a": [1, None, "ü"]}


def test_it_knows_external_variables() -> None:
    assert jsonnet.evaluate("std.extVar('claims').sub", ext={"claims": {"sub": "x"}}) == "x"


@pytest.mark.parametrize("program", ["function(ctx) error 'cancel'", "function(ctx) {a: error 'cancelled, not for this one'}"])
def test_it_lets_a_program_call_itself_off(program: str) -> None:
    with pytest.raises(jsonnet.Cancelled):
        jsonnet.evaluate(program, {})


BOMBS = {
    "endless recursion": "local f(x) = f(x + 1); function(ctx) f(0)",
    "an endless loop": "local f(x) = if x < 0 then 0 else f(x + 1) tailstrict; function(ctx) f(0)",
    "all memory": "function(ctx) std.length(std.makeArray(1e9, function(i) 'x' * 100))",
    "a growing text": "local g(s) = g(s + s); function(ctx) g('xxxxxxxx')",
    "too much output": "function(ctx) std.repeat('x', 300 * 1024)",
}


@pytest.mark.parametrize("name", BOMBS)
def test_it_survives_a_bomb(name: str) -> None:
    began = time.monotonic()

    with pytest.raises(jsonnet.JsonnetError):
        jsonnet.evaluate(BOMBS[name], {})

    assert time.monotonic() - began < 10
    assert jsonnet.evaluate("function(ctx) 1", {}) == 1, "the next one is served"


@pytest.mark.parametrize(
    "program",
    [
        "import 'x'",
        "importstr '/etc/passwd'",
        "importbin '/etc/passwd'",
        "std.native('exec')('ls')",
        "std.extVar('HOME')",
        "function(ctx, other) 1",
        "syntax error here",
    ],
)
def test_it_refuses_what_reaches_out_or_is_no_program(program: str) -> None:
    with pytest.raises(jsonnet.JsonnetError) as failure:
        jsonnet.evaluate(program, {})
    assert "root:" not in str(failure.value)


def test_it_refuses_more_than_a_megabyte_of_input() -> None:
    with pytest.raises(jsonnet.JsonnetError, match="1 MiB"):
        jsonnet.evaluate("function(ctx) 1", {"x": "y" * 1024 * 1024})


def test_it_serves_many_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: jsonnet.evaluate("function(ctx) ctx.n * 2", {"n": n}), range(40))) == [n * 2 for n in range(40)]
