"""Runs the functions `program_...` of a file, which is written for Ray, in one session; one JSON object says how each
ended: "" or its traceback. Run by `python -m sabir.compat.ray run_programs.py FILE`."""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what programs print is not an answer
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    outcomes = {}
    for name, program in runpy.run_path(sys.argv[1], run_name="__main__").items():
        if name.startswith("program_"):
            try:
                program()
                outcomes[name] = ""
            except BaseException:
                outcomes[name] = traceback.format_exc()
    ray.shutdown()
    answers.write(json.dumps(outcomes))
    answers.flush()


main()
