"""The names of options."""

from sabir import _options

task_options = dict.fromkeys(_options._TASK)
actor_options = dict.fromkeys(_options._ACTOR)
