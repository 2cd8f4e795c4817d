"""Each case of wrong_calls.cc is refused by the compiler, with the sentence that the comment on its line names."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

SENTENCES = {
    "argument does not fit": "sabir: this argument does not fit the function's parameter",
    "another number of arguments": "sabir: the function takes another number of arguments",
    "reference does not fit": "sabir: the value of this reference does not fit the function's parameter",
    "method of another class": "sabir: this is a method of another class than the actor's",
    "factory of actors": "sabir: this is a factory of actors: use sabir::actor",
    "returns an actor": "sabir: a factory returns an actor or a pointer to one; this is a task",
    "cannot travel": "sabir: values of this type cannot travel: describe it by SABIR_STRUCT",
    "reference already": "sabir: this is a reference already",
    "would point nowhere": "sabir: get a std::string",
    "reference to non-const": "sabir: a remote function cannot take a reference to non-const",
    "cannot take pointers": "sabir: a remote function cannot take pointers",
}


def main() -> int:
    source, includes = sys.argv[1], sys.argv[2:]
    lines = Path(source).read_text(encoding="utf-8")
    cases = {int(number): wanted for number, wanted in re.findall(r"if CASE == (\d+)\n.*?;\s+// (.+)\n", lines)}
    assert len(cases) == 14, cases
    compiler = ["g++", "-std=c++17", *includes]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        # Compiled once: the cases then take no time.
        header = Path(folder, "sabir_all.hpp")
        header.write_text('#include "sabir/sabir.hpp"\n')
        subprocess.run([*compiler, "-x", "c++-header", header, "-o", f"{header}.gch"], check=True)
        for case in range(len(cases) + 1):
            command = [*compiler, "-fsyntax-only", "-fmax-errors=3", f"-DCASE={case}", "-include", header, source]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            errors = re.findall(r"error: (.*)", done.stderr)
            first = errors[0] if errors else ""
            good = done.returncode == 0 if case == 0 else SENTENCES[cases[case]] in first
            if not good:
                failed += 1
                print(f"case {case}: wanted {cases.get(case, 'no error')!r}, the compiler said:\n{done.stderr[:3000]}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
