"""Services on another clock; each delivered twice finds nothing left to do."""

from celery import shared_task

from shop_reco.child_process import started
from shop_reco.conf import reco_settings

from . import folding, segmenting, selectors, services


@shared_task(acks_late=True)
def refresh_dirty() -> int:
    """Redraw the portraits of shoppers with news; delivered twice, the second run finds none."""
    return services.refresh_dirty()


@shared_task(acks_late=True)
def fold_events() -> int:
    """Fold and delete what is older than it is kept; returns how many events."""
    return folding.fold_events()


@shared_task(acks_late=True)
def fit_segments() -> int:
    """Mark who moved to another time zone, and find groups anew; returns among how many shoppers."""
    services.mark_moved()
    if reco_settings().TRAINING_PROCESS:
        _fit_in_child()
    else:
        segmenting.fit_segments()
    made = selectors.live_segmentation()
    return made.n_shoppers if made else 0


def _fit_in_child() -> None:
    """The libraries that it takes would stay in the worker, and so would room for all events of three months."""
    child = started("fit_segments")
    try:
        status = child.wait()
    except BaseException:
        child.terminate()
        raise
    if status != 0:
        raise RuntimeError(f"no groups were looked for: the process ended with status {status}; see its log")
