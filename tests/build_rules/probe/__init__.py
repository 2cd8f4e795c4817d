"""A package with the shape of sabir: see probe_package in BUILD.bazel."""
