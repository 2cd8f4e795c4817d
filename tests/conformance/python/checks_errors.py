"""Errors of users' code, of calls, and of values in a language's own form."""

from __future__ import annotations

from typing import Any

from peers import STACKS, TYPES, equal, error_of, expect, get, require
from registry import Pair, scenario

import sabir


@scenario("error-fields")
def _(pair: Pair) -> None:
    language = pair.callee.language
    seen = expect(lambda: pair.callee.call("fail", "on purpose"), "task failed")
    equal(seen.type_name, TYPES[language])
    require("on purpose" in str(seen.error), seen.text)
    require(STACKS[language].format("fail") in seen.text, "no stack in", seen.text)


@scenario("error-unicode")
def _(pair: Pair) -> None:
    require("\u20ac\U0001f40d" in expect(lambda: pair.callee.call("fail", "\u20ac\U0001f40d"), "task failed").text)


@scenario("error-long")
def _(pair: Pair) -> None:
    require("x" * 30_000 in expect(lambda: pair.callee.call("fail", "x" * 30_000), "task failed").text)


@scenario("error-cause")
def _(pair: Pair) -> None:
    text = expect(lambda: pair.callee.call("chain", "the inner one"), "task failed").text
    require("around it" in text and "the inner one" in text, text)


@scenario("error-odd")
def _(pair: Pair) -> None:
    seen = expect(lambda: pair.callee.call("odd"), "task failed")
    require(seen.type_name.endswith("Odd"), seen.type_name, seen.text)
    equal(pair.callee.call("add", 1, 1), 2)


def _passes(pair: Pair, first: str, *rest: str) -> None:
    """An error that arises in the last of the languages has a stack of each of them."""
    own = pair.own if first == pair.own.language else pair.callee
    seen = expect(lambda: own.call("through", list(rest), "deep down"), "task failed")
    require("deep down" in seen.text, seen.text)
    for language in (first, *rest):
        require(STACKS[language].format("through") in seen.text, f"no stack of {language} in", seen.text)


@scenario("error-through-caller")
def _(pair: Pair) -> None:
    _passes(pair, pair.own.language, pair.callee.language)


@scenario("error-through-callee")
def _(pair: Pair) -> None:
    _passes(pair, pair.callee.language, pair.own.language)


@scenario("error-through-three")
def _(pair: Pair) -> None:
    others = [language for language in TYPES if language != pair.callee.language]
    _passes(pair, pair.callee.language, *others)


@scenario("error-missing-function")
def _(pair: Pair) -> None:
    if pair.callee.language == "cpp":
        missing, place = sabir.cpp_function("no_such_function"), "conformance_callee.so"
    else:
        missing, place = sabir.java_function("conformance.Callee", "no_such_function"), "conformance.Callee"
    text = expect(lambda: get(missing.remote(1)), "not found").text
    require("no_such_function" in text and place in text, text)


@scenario("error-missing-class")
def _(pair: Pair) -> None:
    if pair.callee.language == "cpp":
        missing, method = sabir.cpp_actor_class("NoSuchClass::create"), "add"
    else:
        missing, method = sabir.java_actor_class("conformance.NoSuchClass"), "add"
    require("NoSuchClass" in error_of(lambda: get(getattr(missing.remote(1), method).remote(1))).text)


@scenario("error-too-many-arguments")
def _(pair: Pair) -> None:
    seen = expect(lambda: pair.callee.call("add", 1, 2, 3), "invalid argument")
    require("add" in seen.text, seen.text)


@scenario("error-wrong-type")
def _(pair: Pair) -> None:
    # Python's parameters have no types: its function meets the argument.
    kind = "task failed" if pair.callee.language == "python" else "invalid argument"
    seen = expect(lambda: pair.callee.call("add", [1], {}), kind)
    require(bool(seen.text.strip()))


@scenario("error-constructor")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(-1)
    require("below zero" in expect(lambda: get(recorder.add.remote(1)), "actor died").text)


@scenario("error-method")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(5)
    seen = expect(lambda: get(recorder.fail.remote("a method's")), "task failed")
    require("a method's" in seen.text, seen.text)
    equal(seen.type_name, TYPES[pair.callee.language])
    equal(get(recorder.add.remote(1)), 6)


@scenario("error-then-success")
def _(pair: Pair) -> None:
    for _ in range(3):
        expect(lambda: pair.callee.call("through", [], "again"), "task failed")
    equal(pair.callee.call("add", 2, 2), 4)


@scenario("error-nested-65")
def _(pair: Pair) -> None:
    deep: list[Any] = []
    for _ in range(64):
        deep = [deep]
    require("64" in expect(lambda: pair.callee.call("echo", deep), "invalid argument").text)


@scenario("error-no-unicode")
def _(pair: Pair) -> None:
    require(bool(expect(lambda: pair.callee.call("echo", ["half \ud83d"]), "invalid argument").text))


@scenario("own-form-result")
def _(pair: Pair) -> None:
    seen = expect(lambda: pair.callee.call("own"), "invalid argument")
    require(pair.callee.language in seen.text.lower(), seen.text)


@scenario("own-form-argument")
def _(pair: Pair) -> None:
    seen = expect(lambda: pair.callee.call("echo", [0, {1, 2}]), "invalid argument")
    require("set" in seen.text and "[1]" in seen.text, seen.text)


@scenario("own-form-reference")
def _(pair: Pair) -> None:
    stored = sabir.put({1, 2})
    seen = expect(lambda: pair.callee.call("echo", stored), "invalid argument")
    require("a set" in seen.text and "only Python" in seen.text, seen.text)


@scenario("own-form-at-home")
def _(pair: Pair) -> None:
    equal(pair.callee.call("echo", pair.callee.call("own")), {1, 2})
