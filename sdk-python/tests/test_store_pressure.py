"""A full store has garbage collected in every process: arrays in reference cycles hold objects, and nothing else ends them."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import sabir
from sabir._logs import Collector

STORE_BYTES = 256 << 20
OBJECT_BYTES = 32 << 20


class Cycle:
    def __init__(self, array):
        self.array = array
        self.me = self


def a_large_array():
    return np.ones(OBJECT_BYTES // 8)


@sabir.remote
class Littering:
    def litter(self, array):
        gc.disable()  # nothing of its own accord
        Cycle(array)

    def call(self):
        return "here"


@sabir.remote
def litter(array):
    gc.disable()
    Cycle(array)


def test_idle_actors_collect(own_session):
    own_session(object_store_memory=STORE_BYTES)
    actors = [Littering.remote() for _ in range(2)]
    for i in range(6):
        sabir.get(actors[i % 2].litter.remote(sabir.put(a_large_array())))
    held = [sabir.put(a_large_array()) for _ in range(5)]  # there is room for two; nothing ran in the actors since
    assert [sabir.get(ref)[-1] for ref in held] == [1.0] * 5
    del held
    assert sabir.get(actors[0].call.remote()) == "here"


def test_workers_of_tasks_collect(own_session):
    own_session(object_store_memory=STORE_BYTES)
    for _ in range(3 * STORE_BYTES // OBJECT_BYTES):
        sabir.get(litter.remote(sabir.put(a_large_array())))


def test_the_driver_collects(own_session):
    own_session(object_store_memory=STORE_BYTES)
    gc.disable()
    try:
        for _ in range(3 * STORE_BYTES // OBJECT_BYTES):
            Cycle(sabir.get(sabir.put(a_large_array())))
    finally:
        gc.enable()


@pytest.mark.parametrize(("took", "pause"), [(0.2, 0.2), (30.0, 1.0)])
def test_collections_leave_time_for_other_things(took, pause):
    now, collected = [0.0], []

    def collect():
        collected.append(now[0])
        now[0] += took

    collector = Collector(lambda: now[0], collect)
    collector.run_if_due()
    assert collected == [] and collector.wait_s(None) is None and collector.wait_s(1.0) == 1.0
    collector.ask()
    collector.ask()
    assert collector.wait_s(None) == 0
    collector.run_if_due()
    assert collected == [0.0] and collector.wait_s(None) is None
    collector.ask()
    assert collector.wait_s(None) == pytest.approx(pause) and collector.wait_s(0.01) == 0.01
    collector.run_if_due()
    assert collected == [0.0]
    now[0] += pause
    collector.run_if_due()
    assert collected == [0.0, took + pause]
