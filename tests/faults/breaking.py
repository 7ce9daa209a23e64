"""A page and a task that fail with what they were told in their messages and locals."""

from __future__ import annotations

import os

from celery import shared_task
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from shop_reco.urls import urlpatterns as shop


@csrf_exempt
def breaks(request: HttpRequest) -> HttpResponse:
    told = request.body.decode() + str(request.GET) + str(request.headers)
    raise ValueError(told)


@shared_task
def break_down() -> None:
    told = os.environ["FAULTS_CANARY"]
    raise ValueError(told)


urlpatterns = [path("breaks/", breaks), *shop]
