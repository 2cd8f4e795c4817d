"""joblib's backend "sabir"."""

from __future__ import annotations

import os

import numpy as np
import pytest

import sabir

joblib = pytest.importorskip("joblib")
pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture(autouse=True)
def backend():
    from sabir.util.joblib import register_sabir

    register_sabir()
    with joblib.parallel_config("sabir", n_jobs=-1):
        yield


def square(x, more=None):
    return x * x


def test_many_small_calls():
    calls = (joblib.delayed(square)(x) for x in range(500))
    assert joblib.Parallel()(calls) == [x * x for x in range(500)]


def test_calls_run_in_workers():
    pids = joblib.Parallel(n_jobs=2)(joblib.delayed(os.getpid)() for _ in range(4))
    assert os.getpid() not in pids


def test_a_large_argument_is_stored_once():
    large = np.arange(100_000)

    def place(array, index):
        return array.flags.writeable, int(array[index])

    found = joblib.Parallel()(joblib.delayed(place)(large, index=i) for i in range(6))
    assert found == [(False, i) for i in range(6)]


def test_an_error_keeps_its_type():
    def fail(x):
        raise KeyError(x)

    with pytest.raises(KeyError):
        joblib.Parallel()(joblib.delayed(fail)(x) for x in range(3))
    assert joblib.Parallel()([joblib.delayed(square)(3)]) == [9]


def test_number_of_jobs():
    with joblib.parallel_config("sabir", n_jobs=-1):
        assert joblib.effective_n_jobs(-1) == int(sabir.cluster_resources()["CPU"])
    with pytest.raises(ValueError):
        joblib.Parallel(n_jobs=0)([joblib.delayed(square)(1)])


def test_a_grid_search():
    model_selection = pytest.importorskip("sklearn.model_selection")
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression

    X, y = make_classification(n_samples=120, random_state=1)
    grid = {"C": [0.1, 1.0, 10.0]}
    search = model_selection.GridSearchCV(LogisticRegression(), grid, cv=2).fit(X, y)
    with joblib.parallel_config("sequential"):
        alone = model_selection.GridSearchCV(LogisticRegression(), grid, cv=2).fit(X, y)
    assert search.best_params_ == alone.best_params_
    assert np.array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
