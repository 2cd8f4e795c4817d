"""Not on the code path of the job."""


def extra() -> str:
    return "found"
