"""What takes time is timed, whatever becomes of it; spans are for whoever set a tracer provider."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.contextvars import bound_contextvars

from shop_reco.measures import phase, stage
from shop_reco.measures.metrics import registry
from shop_reco.recommendations.serving import recommend_for

STAGES = ["models", "history", "mask", "rank", "reasons", "rows", "slate", "list"]


def timed(name):
    return registry.get_sample_value("shop_reco_stage_seconds_count", {"stage": name}) or 0


@pytest.fixture
def spans(monkeypatch):
    """The spans that end while a host traces, in that order."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter.get_finished_spans


def test_a_stage_that_fails_is_timed_and_fails_as_it_would():
    before = timed("rank")
    with pytest.raises(KeyError, match="tea"), stage("rank"):
        raise KeyError("tea")
    assert timed("rank") == before + 1


def test_a_list_times_each_of_its_stages_once(trained, person):
    before = {name: timed(name) for name in STAGES}
    recommend_for(shopper=person, first=5)
    assert {name: timed(name) - before[name] for name in STAGES} == dict.fromkeys(STAGES, 1)


def test_a_list_that_is_traced_is_one_span_around_those_of_its_stages(trained, person, spans):
    recommend_for(shopper=person, first=5)
    *inner, whole = spans()
    assert [each.name for each in (*inner, whole)] == [f"shop_reco.{name}" for name in STAGES]
    assert {each.parent.span_id for each in inner} == {whole.context.span_id}


def test_a_span_has_the_ids_of_the_log_lines_and_of_an_error_its_type_alone(spans):
    with bound_contextvars(run="7", query="canary"), pytest.raises(ValueError), phase("training", "item_cf"):
        raise ValueError("canary")
    (span,) = spans()
    assert span.name == "shop_reco.training.training"
    assert dict(span.attributes) == {"shop_reco.run": "7", "shop_reco.recommender": "item_cf"}
    assert (span.status.is_ok, span.status.description, span.events) == (False, "ValueError", ())


def test_nothing_is_traced_until_a_provider_is_set(monkeypatch):
    def fail(*arguments, **settings):
        raise AssertionError("a span was begun")

    monkeypatch.setattr(trace.ProxyTracerProvider, "get_tracer", fail)
    with stage("rank"):
        pass
