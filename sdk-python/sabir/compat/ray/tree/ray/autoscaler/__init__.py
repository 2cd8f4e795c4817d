"""Nodes by demand, which Sabir does not start."""
