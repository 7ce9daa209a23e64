"""Services on another clock; each delivered twice finds nothing left to do."""

from celery import shared_task

from . import folding, segmenting, services


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
    made = segmenting.fit_segments()
    return made.n_shoppers if made else 0
