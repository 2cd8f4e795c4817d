"""Python code for the tests: called by name from Java and C++."""


def fail(text):
    raise ValueError(text)
