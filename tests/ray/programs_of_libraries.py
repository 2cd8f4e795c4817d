"""Programs that use libraries on Ray: `python -m sabir.compat.ray programs_of_libraries.py NAME FOLDER`."""

import sys
from pathlib import Path

import numpy as np
import ray


def modin(folder: Path) -> None:
    import modin.config
    import modin.pandas as frames
    import pandas

    modin.config.Engine.put("ray")
    plain = pandas.DataFrame({"key": np.arange(600) % 7, "value": np.arange(600.0), "text": ["a", "b", "c"] * 200})
    names = pandas.DataFrame({"key": range(7), "name": list("abcdefg")})
    file = folder / "frame.csv"
    plain.to_csv(file, index=False)
    frame = frames.read_csv(file)

    def same(found: object, wanted: object) -> None:
        found = found._to_pandas()
        pandas.testing.assert_frame_equal(found, wanted) if wanted.ndim == 2 else pandas.testing.assert_series_equal(
            found, wanted
        )

    same(frame, plain)
    same(frame.groupby("key")[["value"]].sum(), plain.groupby("key")[["value"]].sum())
    same(frame.groupby("text").agg({"value": "mean"}), plain.groupby("text").agg({"value": "mean"}))
    same(frame.merge(frames.DataFrame(names), on="key"), plain.merge(names, on="key"))
    same(frame[["value"]].apply(lambda x: x * 2), plain[["value"]].apply(lambda x: x * 2))
    same(
        frame.apply(lambda row: row["value"] + row["key"], axis=1), plain.apply(lambda r: r["value"] + r["key"], axis=1)
    )
    same(frame.sort_values("value", ascending=False), plain.sort_values("value", ascending=False))
    same(frame.describe(), plain.describe())
    same(frame[frame["key"] > 3], plain[plain["key"] > 3])
    same(frame.pivot_table(values="value", index="key", columns="text"), plain.pivot_table("value", "key", "text"))
    assert type(frame._query_compiler._modin_frame).__name__ == "PandasOnRayDataframe"
    assert ray.is_initialized()


def dask(folder: Path) -> None:
    import dask
    import dask.array as arrays
    import dask.bag as bags
    from ray.util.dask import disable_dask_on_ray, enable_dask_on_ray, ray_dask_get

    ray.init(num_cpus=2)

    @dask.delayed
    def add(x, y=1):
        return x + y

    @dask.delayed
    def total(parts):
        return sum(parts)

    assert total([add(i) for i in range(10)]).compute(scheduler=ray_dask_get) == 55
    assert dask.compute(add(1), {"a": add(2, y=add(3))}, scheduler=ray_dask_get) == (2, {"a": 6})
    x = arrays.ones((200, 200), chunks=(50, 100))
    assert (x + x.T).sum().compute(scheduler=ray_dask_get) == 80_000
    kept = dask.persist(x.mean(), scheduler=ray_dask_get)[0]
    with enable_dask_on_ray():
        assert bags.from_sequence(range(100), npartitions=4).map(lambda n: n * n).sum().compute() == 328_350
        assert kept.compute() == 1
    enable_dask_on_ray()
    try:
        import dask.dataframe as frames
        import pandas

        plain = pandas.DataFrame({"a": [1, 2, 3] * 40, "b": range(120)})
        found = frames.from_pandas(plain, npartitions=4).groupby("a").b.sum().compute()
        assert found.sort_index().equals(plain.groupby("a").b.sum())
        failing = add(1, y="x")
        try:
            failing.compute()
            raise AssertionError
        except TypeError:
            pass
    finally:
        disable_dask_on_ray()


def joblib(folder: Path) -> None:
    import joblib
    from ray.util.joblib import register_ray
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, cross_val_score

    ray.init(num_cpus=2)
    register_ray()
    X, y = make_classification(n_samples=150, random_state=1)
    grid = {"C": [0.1, 1.0]}
    alone = GridSearchCV(LogisticRegression(), grid, cv=3).fit(X, y)
    with joblib.parallel_backend("ray"):
        search = GridSearchCV(LogisticRegression(), grid, cv=3, n_jobs=-1).fit(X, y)
        scores = cross_val_score(RandomForestClassifier(10, random_state=1), X, y, cv=2, n_jobs=2)
    assert search.best_params_ == alone.best_params_
    assert np.array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    assert len(scores) == 2
    with joblib.parallel_config("ray", n_jobs=2, ray_remote_args={"num_cpus": 1}):
        assert joblib.Parallel()(joblib.delayed(pow)(i, 2) for i in range(9)) == [i * i for i in range(9)]


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
    ray.shutdown()
