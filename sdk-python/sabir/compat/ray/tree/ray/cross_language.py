"""Functions and classes of other languages."""

from __future__ import annotations

from typing import Any

import sabir


def java_function(class_name: str, function_name: str) -> Any:
    """A static method of a Java class as a task."""
    return sabir.java_function(class_name, function_name)


def java_actor_class(class_name: str) -> Any:
    """A Java class as an actor class."""
    return sabir.java_actor_class(class_name)


def cpp_function(function_name: str) -> Any:
    """A function of C++ as a task."""
    return sabir.cpp_function(function_name)


def cpp_actor_class(create_function_name: str, class_name: str = "") -> Any:
    """A class of C++ as an actor class, by the function that makes it."""
    return sabir.cpp_actor_class(create_function_name)
