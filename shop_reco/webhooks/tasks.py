from celery import shared_task
from django.db import OperationalError

from . import services


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5, acks_late=True)
def forget_old_deliveries() -> int:
    """Drop deliveries past their time, also of sources that fell silent; returns how many."""
    total = 0
    while gone := services.forget_old_deliveries(limit=1000):
        total += gone
    return total
