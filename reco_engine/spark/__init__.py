"""Training beyond memory: Spark sorts and spreads what users took, and its tasks run the engine's own arithmetic.

Each user's interactions are folded by one task, and the columns are summed in the order of users, as ``fit`` does in
memory: what comes out are the same bytes::

    with cluster("local[2]") as spark:
        model = fit(ItemCF(), table, spark, sample=some, at=now, work=folder)

Tasks import ``reco_engine``, numpy, scipy, pyarrow and sparse-dot-topn: install them on every executor. ``table`` and
``work`` lie on storage that the driver and all executors see under one path.
"""

from .fits import KINDS, fit, refit_item_cf
from .needs import lacking
from .session import Cluster, cluster
from .tables import Part, Writer, read_parts

__all__ = ["KINDS", "Cluster", "Part", "Writer", "cluster", "fit", "lacking", "read_parts", "refit_item_cf"]
