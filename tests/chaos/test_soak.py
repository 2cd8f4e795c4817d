"""A cluster under load whose nodes, gateways, workers and drivers are killed all the time.

SABIR_SOAK_KILLS says how many nodes are to die (6 without it), SABIR_SOAK_SEED which; -s shows the figures.
"""

from __future__ import annotations

import json
import os
import random
import time

import leaks
from load import Load
from nodes import settled, status, wait_until
from victims import Harm, footprint

import sabir
from sabir.cluster_utils import Cluster

KILLS = int(os.environ.get("SABIR_SOAK_KILLS", "6"))
SEED = int(os.environ.get("SABIR_SOAK_SEED", "0")) or random.randrange(1, 1 << 30)
# What the longest-lived may have more in the end than after the first kills.
DESCRIPTORS_MORE = 8


def test_results_are_right_whatever_dies() -> None:
    print(f"\nseed {SEED}, {KILLS} nodes die")
    began = time.monotonic()
    with Cluster(head_node_args={"num_cpus": 1, "object_store_memory": 256 << 20}) as cluster:
        harm = Harm(cluster, SEED)
        cluster.connect(log_to_driver=False)
        load = Load(SEED)
        killed = 0
        early = footprint(cluster)
        next_kill = time.monotonic() + harm.next_pause_s()
        while killed < KILLS:
            load.step()
            if time.monotonic() < next_kill:
                continue
            killed += harm.one()
            next_kill = time.monotonic() + harm.next_pause_s()
            if killed == min(KILLS, 5):
                early = footprint(cluster)
        load.finish(timeout_s=120)
        for node in cluster.nodes:
            wait_until(lambda node=node: settled(node.session), lambda node=node: status(node.session))
            harm.seen.update(leaks.descendants(node.pid))
        late = footprint(cluster)
        figures = {
            "seconds": round(time.monotonic() - began, 1),
            "killed": harm.counts,
            "right": load.right,
            "errors": load.errors,
            "early": early,
            "late": late,
        }
        print(json.dumps(figures))
        assert sum(load.errors.values()) < max(2, load.right / 1000), figures
        for name, found in late.items():
            assert found["descriptors"] <= early[name]["descriptors"] + DESCRIPTORS_MORE, figures
        del load
        sabir.shutdown()
    leaks.assert_ended(sorted(harm.seen))
    assert not leaks.shared_memory()
