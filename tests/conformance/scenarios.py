"""The list: what every pair of languages, caller and callee, has to do. Callers that know more or less than it fail.

A *value* travels three times: as an argument, whose text the callee tells (`describe`), there and back (`echo`), and
as a result that the callee made itself (`make`). Each time it must be, as text, what is said here: null, true, false,
integers in decimals, from 65 bits on as `big:` and two's complement, floats as `float:` and their 64 bits, times as
`time:NANOSECONDS SINCE 1970:OFFSET IN SECONDS`, `[lists]`, `(tuples)`, `{maps: in order}`, `ref(value)`, `actor`;
`"text"` in UTF-8 and `bytes:` in hexadecimal, from 65 bytes on as size and CRC-32; `tensor:type:[shape]:items in C order`;
`table:name:type:[items], ...`, of more than 16 rows the bytes of the items. Java writes and reads columns by arrow-java,
which is not in this suite: it hands on tables that Python makes, and has Python describe them.

Other scenarios are programs of the callers that check for themselves. They call the functions of the callees, which
have one meaning in all languages:

    add(a, b), join(ten values), nothing(), pair(a, b): two results, b and a; total(tensor): the sum of a float32 tensor
    store(value): [a reference]; later(ms): [a reference that is not ready]; gather([references]): the sum
    idof([reference]); fail(message); chain(message): an error with one as its cause; odd(): an error like no other
    through(languages, message): calls itself in the first of these languages; with none left it fails
    relay(language, a, b): add in that language; fibonacci(n): by tasks of its own
    flaky(n), mortal(n): fails, or dies, until its n-th repetition; die("abort", "segfault" or "exit"); sleep(ms); pid()
    meet(folder, name, count, ms): whether so many were there at once; own(): a value in its language's own form
    nudge(actor, n), nudge_all([actors], n), nudge_named(name, n): call add of these actors
    Recorder(start): add(n), history(), fail, sleep, die, mortal, pid, keep([references]), total(): of what it keeps,
        lend(): what it keeps; hold(tensor): keeps a slice, and says how many it has; drop(): what it holds,
        befriend([actors]), forward(n): add of its friends, leave(): ends itself
"""

from __future__ import annotations

from dataclasses import dataclass, field

LANGUAGES = ("python", "cpp", "java")
NAMES = {"python": "Python", "cpp": "C++", "java": "Java"}


@dataclass(frozen=True)
class Scenario:
    name: str
    group: str
    meaning: str
    sees: str = ""  # of a value: its text
    # The text where one of both languages has no such value, by that language.
    otherwise: dict[str, str] = field(default_factory=dict)
    # Why it does not apply, by "caller:python", "callee:java", "python to python", "same" or "different" languages.
    without: dict[str, str] = field(default_factory=dict)

    def expected(self, caller: str, callee: str) -> str:
        return next((self.otherwise[side] for side in (caller, callee) if side in self.otherwise), self.sees)

    def not_applicable(self, caller: str, callee: str) -> str:
        """The reason; empty: it applies."""
        same = "same" if caller == callee else "different"
        sides = (f"caller:{caller}", f"callee:{callee}", f"{caller} to {callee}", same)
        return next((self.without[side] for side in sides if side in self.without), "")


def _values(group: str, *rows: tuple[str, str, str]) -> list[Scenario]:
    return [Scenario(name, group, meaning, sees) for name, meaning, sees in rows]


def _behaviour(group: str, *rows: tuple[str, str]) -> list[Scenario]:
    return [Scenario(name, group, meaning) for name, meaning in rows]


_SCALARS = _values(
    "values",
    ("null", "nothing", "null"),
    ("true", "true", "true"),
    ("false", "false", "false"),
    ("int-zero", "zero", "0"),
    ("int-negative", "minus one", "-1"),
    ("int-min", "the smallest integer of 64 bits", "-9223372036854775808"),
    ("int-max", "the largest integer of 64 bits", "9223372036854775807"),
    ("uint-max", "the largest integer of 64 bits without sign", "18446744073709551615"),
    ("big-positive", "2^70 + 1", "big:400000000000000001"),
    ("big-negative", "-2^70", "big:c00000000000000000"),
    ("float", "a float of 64 bits", "float:3ff8000000000000"),
    ("float32", "a float of 32 bits, where the language has one", "float:3fd0000000000000"),
    ("float-negative-zero", "minus zero", "float:8000000000000000"),
    ("float-smallest", "the smallest float above zero", "float:0000000000000001"),
    ("float-infinity", "minus infinity", "float:fff0000000000000"),
    ("float-nan", "not a number", "float:7ff8000000000000"),
    ("text-empty", "a text of no characters", '""'),
    ("text-ascii", "a text with quotes", '"say \\x22hello\\x22 \\x5c bye"'),
    ("text-unicode", "a text beyond 16 bits", '"gr\\xc3\\xbc\\xc3\\x9f \\xe2\\x82\\xac \\xf0\\x9f\\x90\\x8d"'),
    ("text-nul", "a text with a zero inside", '"a\\x00b"'),
    ("text-long", "a text of 768 KiB", "text:786432:a0fa9a74"),
    ("bytes-empty", "no bytes", "bytes:"),
    ("bytes-short", "bytes that are no text", "bytes:007f80ff"),
    ("time-utc", "a time of UTC", "time:1600000000123456000:0"),
    ("time-offset", "a time seven hours west", "time:1600000000000000000:-25200"),
    ("time-before-1970", "a time of 1901", "time:-2177452799999999000:0"),
)

_CONTAINERS = [
    *_values(
        "containers",
        ("list-empty", "a list of nothing", "[]"),
        (
            "list-mixed",
            "a list of all types",
            '[null, true, -7, float:4004000000000000, "x", bytes:79, big:010000000000000000]',
        ),
        ("list-long", "a list of 10,000 integers", "[" + ", ".join(str(i) for i in range(10_000)) + "]"),
        ("map-empty", "a map of nothing", "{}"),
        ("map-ordered", "a map keeps its order", '{"zebra": 1, "ant": [2], "m": {"inner": null}}'),
        (
            "map-other-keys",
            "integers, floats and bytes as keys",
            '{1: "int", "1": "text", float:4004000000000000: "float", bytes:6b: "bytes"}',
        ),
        (
            "nested",
            "lists and maps within each other",
            '{"rows": [{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": []}], "next": [[[{}]]]}',
        ),
        ("nested-64", "64 lists within each other, the most there may be", "[" * 64 + "]" * 64),
    ),
    Scenario(
        "tuple",
        "containers",
        "a tuple; Java has none and reads lists",
        '(1, "a", (float:4004000000000000, null))',
        otherwise={"java": '[1, "a", [float:4004000000000000, null]]'},
    ),
]

_TENSORS = [
    *_values(
        "tensors",
        ("tensor-bool", "truth values", "tensor:bool:[3]:010001"),
        ("tensor-int8", "integers of 8 bits", "tensor:int8:[3]:80007f"),
        ("tensor-int16", "of 16 bits", "tensor:int16:[2]:00800100"),
        ("tensor-int32", "of 32 bits", "tensor:int32:[2]:0000008001000000"),
        ("tensor-int64", "of 64 bits", "tensor:int64:[2]:00000000000000800100000000000000"),
        ("tensor-uint8", "integers without sign of 8 bits", "tensor:uint8:[2]:00ff"),
        ("tensor-uint16", "of 16 bits", "tensor:uint16:[2]:0000ffff"),
        ("tensor-uint32", "of 32 bits", "tensor:uint32:[2]:00000000ffffffff"),
        ("tensor-uint64", "of 64 bits", "tensor:uint64:[2]:0000000000000000ffffffffffffffff"),
        ("tensor-float16", "floats of 16 bits", "tensor:float16:[2]:003e00c0"),
        ("tensor-float32", "of 32 bits", "tensor:float32:[2]:0000c03f000080be"),
        ("tensor-float64", "of 64 bits", "tensor:float64:[2]:000000000000f83f000000000000d0bf"),
        ("tensor-complex64", "complex numbers of two 32 bits", "tensor:complex64:[1]:0000c03f000000c0"),
        ("tensor-complex128", "of two 64 bits", "tensor:complex128:[1]:000000000000f83f00000000000000c0"),
        ("tensor-single", "a number without dimensions", "tensor:float64:[]:0000000000000440"),
        ("tensor-empty", "no rows of three", "tensor:int32:[0,3]:"),
        (
            "tensor-3d",
            "three dimensions",
            "tensor:int16:[2,3,4]:" + "".join(f"{i:02x}00" for i in range(24)),
        ),
        (
            "tensor-fortran",
            "the first index is the fastest",
            "tensor:int32:[2,3]:" + "".join(f"{i:02x}000000" for i in range(6)),
        ),
        (
            "tensor-strided",
            "every second column",
            "tensor:int32:[3,2]:" + "".join(f"{i:02x}000000" for i in (0, 2, 4, 6, 8, 10)),
        ),
        (
            "tensors-inside",
            "tensors in lists and maps",
            '{"a": [tensor:uint8:[2]:0102], "b": tensor:float64:[1000]:8000:daddb9bc}',
        ),
    ),
    Scenario(
        "tensor-bfloat16",
        "tensors",
        "the upper halves of floats; numpy has no such type and reads uint16",
        "tensor:bfloat16:[2]:c03f00c0",
        otherwise={"python": "tensor:uint16:[2]:c03f00c0"},
    ),
]

_TABLES = _values(
    "tables",
    ("table", "integers with a null, and texts", 'table:n:int64:[1, null, 3], s:string:["a", "", "\\xc3\\xbc"]'),
    ("table-empty", "columns without rows", "table:n:int64:[]"),
    ("table-sliced", "the last three of five rows", "table:n:int64:[2, 3, 4]"),
    ("table-large", "8 MiB of integers", "table:n:int64:bytes:8388608:ee7de7a0"),
)

_SIZES = [
    *_values(
        "sizes",
        ("size-0", "0 bytes", "bytes:"),
        ("size-1", "1 byte", "bytes:05"),
        ("size-store-minus-1", "64 KiB less a byte", "bytes:65535:dcceebd9"),
        ("size-store", "64 KiB, where values go to the store", "bytes:65536:3bbd8453"),
        ("size-store-plus-1", "64 KiB and a byte", "bytes:65537:d3e2230f"),
        ("size-64-mib", "64 MiB of bytes", "bytes:67108864:3711aa30"),
        ("size-64-mib-tensor", "64 MiB of floats", "tensor:float32:[4096,4096]:67108864:3711aa30"),
    ),
    *_behaviour(
        "sizes",
        ("size-around-cells", "every size up to 200 bytes, across what a call holds by itself"),
        ("size-around-blocks", "every size around 4 KiB, across what a block holds"),
        ("size-around-store", "every size around 64 KiB with its headers, across the way to the store"),
    ),
]

_CALLS = [
    *_behaviour(
        "calls",
        ("call-no-arguments", "no argument and no result"),
        ("call-ten-arguments", "ten arguments of different types arrive in order"),
        ("call-two-results", "a function with two results gives two references"),
        ("call-nested", "a task calls tasks of its own and waits for them, deeper than there are CPUs"),
        ("call-back", "the callee calls a function of the caller's language"),
        ("call-many", "500 calls sent at once, each with its own result"),
        ("call-threads", "four threads call at once"),
        ("call-parallel", "two tasks run at the same time"),
    ),
    Scenario(
        "call-runtime-env",
        "calls",
        "a function of code that only this call's runtime_env names",
        without={"python to python": "Python has its own functions as objects, not by name"},
    ),
    Scenario(
        "call-keywords",
        "calls",
        "arguments by name",
        without={
            "callee:cpp": "parameters of C++ functions have no names",
            "callee:java": "names of Java's parameters are not in its class files",
        },
    ),
]

_REFERENCES = _behaviour(
    "references",
    ("ref-argument", "a reference as an argument arrives as its value"),
    ("ref-of-call", "a result that is not there yet is waited for"),
    ("ref-chain", "20 calls, each with the result of the one before"),
    ("ref-twice", "one reference as two arguments"),
    ("ref-in-list", "inside a list it arrives as a reference"),
    ("ref-in-map", "inside a map, too"),
    ("ref-in-ref", "a stored list holds a reference to another stored list, and keeps it alive"),
    ("ref-identity", "a reference has the same id in both languages"),
    ("ref-returned", "the callee stores a value and returns the reference"),
    ("ref-returned-pending", "it returns a reference to a call that still runs"),
    ("ref-kept", "an actor keeps a value alive that its owner has dropped"),
    ("ref-failed-argument", "a call with a failed argument fails with that error"),
    ("ref-failed-in-list", "a failed reference inside a list raises where it is read"),
    ("ref-large", "64 MiB put once, read by two calls"),
    ("get-many", "several results at once, in order"),
    ("wait-some", "wait tells the ready from the others"),
)

_ERRORS = [
    *_behaviour(
        "errors",
        ("error-fields", "an exception's type, message, language and stack"),
        ("error-unicode", "a message beyond ASCII"),
        ("error-long", "a message of 30,000 characters"),
        ("error-cause", "the cause of an exception is told with it"),
        ("error-odd", "an exception without a usable text"),
        ("error-through-caller", "an exception that passes a task of the caller's language has both stacks"),
        ("error-through-callee", "one that passes the callee from the caller's language has both"),
        ("error-through-three", "one that passes all three languages has three stacks"),
        ("error-too-many-arguments", "a number of arguments that the function does not take"),
        ("error-wrong-type", "an argument of a type that the function does not take"),
        ("error-constructor", "a constructor's exception reaches the first call"),
        ("error-method", "a method's exception; the actor goes on"),
        ("error-then-success", "after an error the same function works"),
    ),
    Scenario(
        "error-missing-function",
        "errors",
        "there is no such function: the error says which, and where it was looked for",
        without={"python to python": "Python has its own functions as objects, not by name"},
    ),
    Scenario(
        "error-missing-class",
        "errors",
        "there is no such class",
        without={"python to python": "Python has its own classes as objects, not by name"},
    ),
    Scenario(
        "error-nested-65",
        "errors",
        "65 lists within each other are refused before they are sent",
        without={
            "python to python": "it goes in Python's own form, which takes it",
            "java to java": "it goes in Java's own form, which takes it",
        },
    ),
    Scenario(
        "error-no-unicode",
        "errors",
        "a text with half a character is refused before it is sent",
        without={
            "python to python": "it goes in Python's own form, which takes it",
            "java to java": "it goes in Java's own form, which takes it",
        },
    ),
    Scenario(
        "own-form-result",
        "errors",
        "a result in the callee's own form: the error names the language",
        without={"same": "the language reads its own form", "callee:cpp": "C++ has no form of its own"},
    ),
    Scenario(
        "own-form-argument",
        "errors",
        "an argument in the caller's own form: the error names the type and the place",
        without={"same": "the language reads its own form", "caller:cpp": "C++ has no form of its own"},
    ),
    Scenario(
        "own-form-reference",
        "errors",
        "a reference to a value in the caller's own form as an argument: the error names the type",
        without={"same": "the language reads its own form", "caller:cpp": "C++ has no form of its own"},
    ),
    Scenario(
        "own-form-at-home",
        "errors",
        "a value in its language's own form, there and back",
        without={"different": "only its own language reads it", "caller:cpp": "C++ has no form of its own"},
    ),
]

_ACTORS = _behaviour(
    "actors",
    ("actor-state", "an actor keeps its state between calls"),
    ("actor-order", "100 calls of one sender run in their order"),
    ("actor-order-pending", "also when an argument is not ready"),
    ("actor-two", "two actors of a class do not share"),
    ("actor-process", "an actor is a process of its own, and stays in it"),
    ("actor-threads", "four threads of a caller call one actor"),
    ("actor-keeps-references", "references that an actor keeps are good in later calls"),
    ("handle-argument", "a handle as an argument of a task"),
    ("handle-in-list", "handles inside a list"),
    ("handle-to-caller", "the callee's actor, called by a task of the caller's language"),
    ("handle-of-caller", "an actor of the caller's language, called by the callee"),
    ("handle-to-actor", "an actor that calls another one"),
    ("handle-returned", "a handle that was sent there and back is the same actor"),
    ("actor-missing-method", "a method that the actor does not have: the error says which"),
    ("name-lookup", "a named actor is found by its name"),
    ("name-in-callee", "the callee finds it by its name"),
    ("name-of-caller", "the callee finds an actor of the caller's language"),
    ("name-taken", "a taken name is an error"),
    ("name-get-if-exists", "or gives the actor that has it"),
    ("name-unknown", "an unknown name is an error"),
    ("name-free-again", "the name of a dead actor can be taken"),
    ("actor-detached", "a detached actor outlives its handles"),
    ("actor-ends", "an actor ends with its last handle"),
    ("actor-leaves", "an actor that ends itself"),
)

_FAILURES = _behaviour(
    "failures",
    ("kill", "a killed actor's calls fail with the error of a dead actor"),
    ("kill-running", "also the one that runs"),
    ("kill-restart", "killed with a restart left, it starts anew"),
    ("actor-crash", "an actor that aborts is dead"),
    ("actor-restart", "with a restart left it starts anew, in another process"),
    ("actor-retry", "and with retries the call that it died of runs again"),
    ("task-abort", "a task that aborts, with no retries"),
    ("task-segfault", "one that reads where it must not"),
    ("task-exit", "one that ends its process"),
    ("task-retry-crash", "a task that dies twice and then works"),
    ("task-retry-error", "a task that fails twice and then works, with retries of errors"),
    ("task-retry-type", "with retries of errors of its error's type, or of a base, by name; not of another type"),
    ("task-no-retry-error", "without them the first error is the result"),
    ("crash-and-others", "calls beside one that crashes do not notice"),
)

_TIMES_AND_RESOURCES = _behaviour(
    "time and resources",
    ("get-timeout", "a get that ends before the value is there; later it is"),
    ("wait-timeout", "a wait that ends before anything is ready"),
    ("timeout-negative", "a timeout below zero is refused by get and wait, ready or not"),
    ("cluster-resources", "the driver sees the node, what it has, and that an actor holds a part of it"),
    ("cpus-two", "two tasks of two CPUs each never meet on a node of two"),
    ("cpus-half", "two tasks of half a CPU do"),
    ("resource-custom", "two tasks that want the only slot never meet"),
    ("resource-of-actor", "an actor holds the slot until it is dead"),
    ("resource-impossible", "a call that no node can run waits, and get ends in time"),
)

_STORE = _behaviour(
    "store and drivers",
    ("pressure-results", "20 results of 64 MiB through a store of 1 GiB, each dropped for the next"),
    ("pressure-slices", "an actor holds slices of 768 MiB and lets go: there is room for 512 MiB more"),
    ("driver-second", "a second driver, in the callee's language, finds an actor of the first, and they share values"),
)

SCENARIOS = [
    *_SCALARS,
    *_CONTAINERS,
    *_TENSORS,
    *_TABLES,
    *_SIZES,
    *_CALLS,
    *_REFERENCES,
    *_ERRORS,
    *_ACTORS,
    *_FAILURES,
    *_TIMES_AND_RESOURCES,
    *_STORE,
]
