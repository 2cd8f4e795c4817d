"""The same as driver.cc: driver.py SESSION_ROOT CODE_FOLDER chain|handles LANGUAGE..."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import sabir


def function_in(language: str, name: str) -> Any:
    if language == "cpp":
        return sabir.cpp_function(name)
    if language == "java":
        return sabir.java_function("across.Functions", name)
    import functions

    return sabir.remote(getattr(functions, name))


def counter_in(language: str) -> Any:
    if language == "cpp":
        return sabir.cpp_actor_class("Counter::create")
    if language == "java":
        return sabir.java_actor_class("across.Functions$Counter")
    import functions

    return sabir.remote(functions.Counter)


def chain(languages: str) -> None:
    first, *rest = languages.split(",")
    print("chain", languages)
    try:
        sabir.get(function_in(first, "chain").remote(rest))
        raise AssertionError("no error")
    except sabir.exceptions.TaskError as error:
        at: BaseException | None = error
        while isinstance(at, sabir.exceptions.TaskError):
            print("level", at.language, at.type_name)
            at = at.__cause__
        print("text", "".join(traceback.format_exception(type(error), error, error.__traceback__)))
        print("end")


def handles(languages: list[str]) -> None:
    for language in languages:
        name = f"counter in {language}"
        made = counter_in(language).options(name=name).remote(100)
        assert sabir.get(made.add.remote(1)) == 101
        found = sabir.get_actor(name)
        assert sabir.get(found.add.remote(1)) == 102
        assert found == made
        expected = 102
        for caller in languages:
            assert sabir.get(function_in(caller, "add_to").remote(made, 1)) == expected + 1
            assert sabir.get(function_in(caller, "add_to_named").remote(name, 1)) == expected + 2
            (back,) = sabir.get(function_in(caller, "same").remote([made]))
            assert sabir.get(back.add.remote(1)) == expected + 3
            expected += 3
            print(f"{caller} calls {language}")
        sabir.kill(made)


def main(root: str, folder: str, what: str, *words: str) -> None:
    sys.path.insert(0, folder)
    with sabir.init("local", num_cpus=2, code_search_path=[folder], log_to_driver=False, _session_root=root):
        if what == "handles":
            handles(list(words))
        else:
            for languages in words:
                chain(languages)


if __name__ == "__main__":
    main(*sys.argv[1:])
