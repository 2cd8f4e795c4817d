"""Sizes, calls and references."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy
from conformance_samples import pattern
from peers import equal, expect, get, require
from registry import Pair, scenario

import sabir


def _echoes(pair: Pair, sizes: Iterable[int]) -> None:
    echo = pair.callee.function("echo")
    sent = [pattern(size) for size in sizes]
    equal([get(ref) == data for ref, data in zip([echo(data) for data in sent], sent)], [True] * len(sent))


@scenario("size-around-cells")
def _(pair: Pair) -> None:
    _echoes(pair, range(200))


@scenario("size-around-blocks")
def _(pair: Pair) -> None:
    _echoes(pair, range(4096 - 100, 4096 + 20))


@scenario("size-around-store")
def _(pair: Pair) -> None:
    _echoes(pair, range(65536 - 100, 65536 + 20))


@scenario("call-no-arguments")
def _(pair: Pair) -> None:
    equal(pair.callee.call("nothing"), None)


@scenario("call-ten-arguments")
def _(pair: Pair) -> None:
    seen = pair.callee.call("join", 1, "two", 3.0, None, [5], {"six": 6}, b"7", True, -9, "ten")
    equal(seen, '[1, "two", float:4008000000000000, null, [5], {"six": 6}, bytes:37, true, -9, "ten"]')


@scenario("call-two-results")
def _(pair: Pair) -> None:
    first, second = pair.callee.function("pair", num_returns=2)(1, "one")
    equal([get(first), get(second)], ["one", 1])


@scenario("call-keywords")
def _(pair: Pair) -> None:
    equal(get(pair.callee.function("scaled")(2, offset=1, factor=10)), 21)


@scenario("call-nested")
def _(pair: Pair) -> None:
    equal(pair.callee.call("fibonacci", 5), 5)


@scenario("call-runtime-env")
def _(pair: Pair) -> None:
    is_cpp = pair.callee.language == "cpp"
    extra = sabir.cpp_function("extra") if is_cpp else sabir.java_function("conformance.extra.Extra", "extra")
    expect(lambda: get(extra.remote()), "not found")
    env = {"code_search_path": os.environ["CONFORMANCE_EXTRA"].split(":")}
    equal(get(extra.options(runtime_env=env).remote()), "found")


@scenario("call-back")
def _(pair: Pair) -> None:
    equal(pair.callee.call("relay", pair.own.language, 3, 4), 7)


@scenario("call-many")
def _(pair: Pair) -> None:
    add = pair.callee.function("add")
    equal(get([add(i, 1) for i in range(500)]), [i + 1 for i in range(500)])


@scenario("call-threads")
def _(pair: Pair) -> None:
    add = pair.callee.function("add")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: [get(add(i, j)) for j in range(25)], range(4)))
    equal(found, [[i + j for j in range(25)] for i in range(4)])


@scenario("call-parallel")
def _(pair: Pair) -> None:
    meet, folder = pair.callee.function("meet"), pair.empty_folder()
    equal(get([meet(folder, name, 2, 30_000) for name in "ab"]), [True, True])


@scenario("ref-argument")
def _(pair: Pair) -> None:
    equal(pair.callee.call("add", sabir.put(20), 1), 21)


@scenario("ref-of-call")
def _(pair: Pair) -> None:
    equal(pair.callee.call("add", pair.callee.function("sleep")(100), 1), 101)


@scenario("ref-chain")
def _(pair: Pair) -> None:
    ref = sabir.put(0)
    for _ in range(20):
        ref = pair.callee.function("add")(ref, 1)
    equal(get(ref), 20)


@scenario("ref-twice")
def _(pair: Pair) -> None:
    ref = sabir.put(21)
    equal(pair.callee.call("add", ref, ref), 42)


@scenario("ref-in-list")
def _(pair: Pair) -> None:
    equal(pair.callee.call("describe", [sabir.put(5), sabir.put("x")]), '[ref(5), ref("x")]')
    equal(pair.callee.call("gather", [sabir.put(5), pair.callee.function("add")(1, 2)]), 8)


@scenario("ref-in-map")
def _(pair: Pair) -> None:
    equal(pair.callee.call("describe", {"a": {"b": sabir.put([1])}}), '{"a": {"b": ref([1])}}')


@scenario("ref-in-ref")
def _(pair: Pair) -> None:
    outer = sabir.put([sabir.put([sabir.put(5)])])
    gc.collect()
    equal(pair.callee.call("describe", [outer]), "[ref([ref([ref(5)])])]")


@scenario("ref-identity")
def _(pair: Pair) -> None:
    ref = sabir.put("some text")
    equal(pair.callee.call("idof", [ref]), ref.hex())
    equal(pair.callee.call("echo", [ref])[0], ref)


@scenario("ref-returned")
def _(pair: Pair) -> None:
    equal(get(pair.callee.call("store", {"k": [1, 2]})[0]), {"k": [1, 2]})
    data = pattern(1 << 20)
    equal(get(pair.callee.call("store", data)[0]) == data, True)


@scenario("ref-returned-pending")
def _(pair: Pair) -> None:
    equal(get(pair.callee.call("later", 200)[0]), 200)


@scenario("ref-kept")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    refs = [sabir.put(40), pair.callee.function("add")(1, 1)]
    get(recorder.keep.remote(refs))
    del refs
    gc.collect()
    equal(get(recorder.total.remote()), 42)


@scenario("ref-failed-argument")
def _(pair: Pair) -> None:
    failed = pair.callee.function("fail")("no number")
    require("no number" in expect(lambda: pair.callee.call("add", failed, 1), "task failed").text)


@scenario("ref-failed-in-list")
def _(pair: Pair) -> None:
    failed = pair.callee.function("fail")("no number")
    require("no number" in expect(lambda: pair.callee.call("gather", [failed]), "task failed").text)


@scenario("ref-large")
def _(pair: Pair) -> None:
    ref = sabir.put(numpy.full(16 << 20, 0.5, numpy.float32))
    equal([pair.callee.call("total", ref) for _ in range(2)], [float(8 << 20)] * 2)


@scenario("get-many")
def _(pair: Pair) -> None:
    slow, add = pair.callee.function("sleep"), pair.callee.function("add")
    equal(get([slow(100), add(1, 2), sabir.put("x")]), [100, 3, "x"])


@scenario("wait-some")
def _(pair: Pair) -> None:
    slow, quick = pair.callee.function("sleep")(400), pair.callee.function("add")(1, 2)
    ready, rest = sabir.wait([slow, quick], num_returns=1, timeout=60)
    equal((ready, rest), ([quick], [slow]))
    ready, rest = sabir.wait([slow, quick], num_returns=2, timeout=60)
    equal((ready, rest), ([slow, quick], []))
