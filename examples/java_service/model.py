"""The model of PredictionService.java: a linear regression with numpy, in an actor of its own."""

from __future__ import annotations

import numpy as np


class Model:
    """Learns y = 1 * x0 + 2 * x1 + 3 * x2 from noisy samples when it is made."""

    def __init__(self, samples: int) -> None:
        random = np.random.default_rng(0)
        features = random.normal(size=(samples, 3))
        target = features @ np.array([1.0, 2.0, 3.0]) + random.normal(scale=0.01, size=samples)
        self.weights = np.linalg.lstsq(features, target, rcond=None)[0]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """One prediction for each row."""
        if features.ndim != 2 or features.shape[1] != len(self.weights):
            raise ValueError(f"a row has {len(self.weights)} features, not the shape {features.shape}")
        return features @ self.weights
