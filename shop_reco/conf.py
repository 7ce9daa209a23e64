"""The SHOP_RECO settings: every key, its default and its unit, declared once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

APPS = (
    "shop_reco",
    "shop_reco.staff",
    "shop_reco.users",
    "shop_reco.products",
    "shop_reco.events",
    "shop_reco.portraits",
    "shop_reco.recommendations",
    "shop_reco.privacy",
    "shop_reco.api",
    "shop_reco.webhooks",
    "shop_reco.storefront",
)
"""What a host project adds to INSTALLED_APPS."""

SECOND_FACTORS = ("off", "offered", "required")
CACHE_TABLE = "reco_cache"
"""The table of a DatabaseCache of ours; ``migrate`` makes it where CACHES names it."""


def _event_weights() -> Mapping[str, float]:
    return {
        "purchase": 1.0,
        "add_to_cart": 0.6,
        "add_to_wishlist": 0.5,
        "rate": 0.5,
        "review": 0.5,
        "view_item": 0.3,
        "select_item": 0.3,
    }


@dataclass(frozen=True, kw_only=True)
class RecoSettings:
    SHOP_TIME_ZONE: str = "UTC"
    """Time zone of shoppers that have none of their own."""

    CURRENCY: str = "USD"
    """Currency of prices that name none, ISO 4217."""

    ARTIFACTS_ROOT: Path = Path("var/artifacts")
    """Folder of the model artifacts."""

    HISTORY_EVENTS: int = 1000
    """Newest events of a shopper that the recommenders see."""

    EVENT_WEIGHTS: Mapping[str, float] = field(default_factory=_event_weights)
    """How much an event of each type counts as interest; a type not named counts nothing."""

    BATCH_EVENTS: int = 500
    """Events that one call of trackEvents may carry."""

    RETENTION_DAYS: int = 400
    """Age after which an event is TOO_OLD to store, in days; a stored one is folded into its day and deleted."""

    SEARCH_DAYS: int = 30
    """The same for searches, in days. Raising it lets events in again that were folded already."""

    ANONYMOUS_DAYS: int = 90
    """The same for events of visitors whom no account is known of, and for visitors without events and consents,
    in days."""

    SEGMENT_SHOPPERS: int = 50
    """Fewest shoppers among whom groups are looked for; with fewer, segments go by fixed rules."""

    CLOCK_SKEW: float = 300.0
    """How far in the future a client's clock may be before its event is dated by the server, in seconds."""

    REJECTED_A_DAY: int = 200
    """Malformed events of one shopper that are kept in 24 hours; more are answered, but not kept."""

    IMPORT_BATCH: int = 5000
    """Rows of a file that are stored in one transaction."""

    IMPORT_ROW_BYTES: int = 262_144
    """Longest row of a file that is imported, in bytes."""

    IMPORT_FILE_BYTES: int = 20 * 2**30
    """Largest file that is imported, unpacked, in bytes."""

    IMPORT_RATIO: int = 100
    """Times its own size that an archive may unpack to."""

    IMPORT_COLUMNS: int = 1000
    """Most columns of a file that is imported."""

    IMPORT_ROWS: int = 100_000_000
    """Most rows of a file that is imported."""

    KAFKA_BROKERS: str = ""
    """Where consume_events finds Kafka: addresses with their ports, by commas."""

    KAFKA_TOPIC: str = ""
    """The topic that consume_events takes events from."""

    KAFKA_GROUP: str = "shop-reco"
    """The group under which consumers share its partitions."""

    KAFKA_SOURCE: str = "kafka"
    """What the stream is called: ids of events are unique within it, and it is recorded with consents."""

    KAFKA_CONSENT: Sequence[str] = ()
    """What the shoppers in it consented to elsewhere: ["personalisation", "training"]."""

    KAFKA_OPTIONS: Mapping[str, Any] = field(default_factory=dict)
    """Options of Kafka's client itself, as for signing in: {"security.protocol": "SASL_SSL", ...}."""

    PAGE_ITEMS: int = 100
    """Items that a query may ask for at most, as its `first`."""

    BODY_BYTES: int = 262_144
    """Largest GraphQL request body, in bytes; trackEvents from a server may send four times as much."""

    QUERY_BYTES: int = 15_000
    """Longest GraphQL document, in bytes; its variables are not part of it."""

    QUERY_TOKENS: int = 1000
    """Tokens that a GraphQL document may have."""

    QUERY_DEPTH: int = 8
    """Fields inside each other that a GraphQL document may have."""

    QUERY_ALIASES: int = 15
    """Aliases that a GraphQL document may have."""

    QUERY_ROOTS: int = 10
    """Outermost fields that a GraphQL document may have."""

    QUERY_DIRECTIVES: int = 10
    """Directives that a GraphQL document may have."""

    QUERY_REPEATS: int = 60
    """Times that a GraphQL document may use one name."""

    QUERY_OBJECTS: int = 2500
    """Objects that the operation of a browser may lead to, its lists and searches counted by their work."""

    QUERY_OBJECTS_TRUSTED: int = 10_000
    """Objects for servers with a key, and for staff."""

    QUERY_SECONDS: float = 5.0
    """Seconds after which the fields of an operation that are left are not begun."""

    INTROSPECTION: bool | None = None
    """Whether the schema may be asked for itself; None: only where DEBUG is on."""

    PERSISTED_ROOT: Path | None = None
    """Folder of GraphQL documents that clients may name by their hash; None: there are none."""

    PERSISTED_ONLY: bool = False
    """Whether documents that do not lie there are refused; servers with a key and staff may send any."""

    RATE_POINTS: int = 2000
    """Points that a visitor may spend at once; ten objects or ten events cost one. 0: as many as they like."""

    RATE_REFILL: float = 200.0
    """Points that come back in a second."""

    RATE_SHARED: int = 20
    """Times that much that an address may spend, behind which many shop."""

    RATE_SERVER: int = 100
    """Times that much that a server with a key may spend."""

    RATE_REDIS: str = ""
    """Address of a Redis through which the processes share what was spent; empty: through the database."""

    RATE_TRUSTED: int = 0
    """Proxies of the shop in front of it, whose word on the address in X-Forwarded-For counts."""

    MIN_SUPPORT: int = 5
    """Distinct shoppers that must stand behind an item pair or neighbourhood."""

    PINNED_POINTS: float = 0.25
    """Points that an interest that the shopper pinned adds to a score; a typical best score is about 1."""

    CANDIDATES: int = 300
    """Items worth ranking that candidate generation passes on."""

    RECOMMENDERS: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings of recommenders that differ from the engine's own, by kind: {"item_cf": {"n_targets": 100}}."""

    CLEANING: Mapping[str, Any] = field(default_factory=dict)
    """Rules of cleaning that are off, or have other settings: {"near_duplicates": {"seconds": 2}, "bots": False}."""

    TRAINING_PROCESS: bool = True
    """Whether each training run, and the search for groups of shoppers, has a process of its own, so that what kills it
    leaves the worker alone."""

    TRAINING_MEMORY_MB: int | None = None
    """Memory that the process of a training run may have, in MB; None: as much as there is."""

    TRAINING_NICENESS: int = 10
    """Steps by which the process of a training run stands back for whoever serves, 0 to 19."""

    TRAINING_HOURS: float = 12.0
    """Hours after which the process of a training run is ended."""

    TRAINING_BACKEND: str = "numpy"
    """What fits popularity, item_cf and content: "numpy", in the memory of this process, or "spark"; the others are
    always fitted by numpy."""

    SPARK_ABOVE: int | None = None
    """Events that may be learnt from above which TRAINING_BACKEND is "spark" by itself; None: never."""

    SPARK_MASTER: str = "local[*]"
    """Where Spark runs: this machine, or the address of a cluster, as "spark://host:7077"."""

    SPARK_OPTIONS: Mapping[str, str] = field(default_factory=dict)
    """Settings of Spark by name: {"spark.executor.memory": "8g"}."""

    SPARK_ROOT: Path | None = None
    """Folder of what Spark reads and writes while it trains, which every executor sees under this path; None: "spark"
    among the artifacts. It holds who did what: a training deletes its part of it at its end."""

    SPARK_SAMPLE: int = 5_000_000
    """Interactions of some shoppers by which settings are searched and recipes compared where Spark fits, at most."""

    GATE_SHOPPERS: int = 2000
    """Shoppers by whom two recipes are compared, at most; time grows with it, and certainty."""

    LEASE: float = 30.0
    """Seconds without a heartbeat after which a training run counts as dead."""

    CONTROL_SHARE: float = 0.05
    """Share of the shoppers who allow personal lists that get the non-personal one where personal lists go, so that
    what these do is measured; always the same shoppers. 0: nobody does."""

    SLATE_BUFFER: int = 1000
    """Served slates waiting to be written; one more is dropped. 0 writes each before the reply."""

    SLATE_DAYS: int = 30
    """Days that a served slate is kept."""

    CREDIT_DAYS: float = 7.0
    """For how long a purchase counts for a list in which it was clicked, and a click for its list, in days."""

    ANSWER_DAYS: int = 28
    """Days of lists whose clicks and purchases are counted and charted; fewer than SLATE_DAYS."""

    LIKE_WEIGHT: float = 1.0
    """Weight of a like that staff accepted in training, as EVENT_WEIGHTS give it; 0 leaves likes out."""

    PRIVACY_ROOT: Path | None = None
    """Folder of exports, of the erase ledger and of the key that signs receipts; None: "privacy" among the artifacts.
    Keep it out of what a restore of the database puts back."""

    EXPORT_DAYS: float = 7.0
    """How long the link of an export is good, in days."""

    EXPORT_NOW_ROWS: int = 5_000
    """Rows up to which an export is made while the shopper waits; a longer one is made by a worker."""

    SESSIONS_NOW: int = 2_000
    """Sessions in force up to which an erasure clears the shopper's own at once; of more, a worker clears them."""

    REJECTED_DAYS: float = 30.0
    """Days that an event that was refused is kept."""

    DESCRIPTION_CHARACTERS: int = 20_000
    """Longest description of a product that is taken, in characters."""

    UPSERT_ROWS: int = 500
    """Products that one call of upsertProducts or deleteProducts, or one webhook, may carry."""

    WEBHOOK_WINDOW: float = 300.0
    """How far a signed webhook's timestamp may lie from now, in seconds."""

    WEBHOOK_RETRIES: float = 172_800.0
    """How long after its event a webhook may come whose sender's retries keep the first time, in seconds."""

    WEBHOOK_BYTES: int = 1_048_576
    """Largest body of a webhook, in bytes."""

    WEBHOOK_DAYS: int = 30
    """Days that a delivery is remembered, and with it the body of one that failed."""

    WEBHOOK_REFUSALS: int = 1000
    """Refused deliveries of a source that are remembered, the newest."""

    OSCAR_SIGNALS: bool = False
    """Whether orders, views and products of a django-oscar in the same project are followed."""

    METRICS_TOKEN: str = ""
    """What a scrape of /metrics sends as its bearer token; without it there is no such address."""

    TENSORBOARD_ROOT: Path | None = None
    """Folder where the trainings of networks leave event files for TensorBoard; None: they leave none."""

    KEY_GRACE: float = 7.0
    """How long a key that was rotated is still taken beside the one that follows it, in days."""

    KEY_NOTED: float = 60.0
    """How far apart the uses of a key are that are noted, in seconds; 0: none is."""

    VISITOR_COOKIE: str = "reco_visitor"
    """Name of the signed cookie of anonymous visitors."""

    VISITOR_DAYS: float = 365.0
    """Age after which a visitor's cookie names nobody, in days."""

    VISITOR_ROTATION: float = 7.0
    """Age at which a visitor's cookie is replaced by a new one, in days."""

    VISITOR_GRACE: float = 60.0
    """How long a replaced cookie still counts after its successor came back, in seconds."""

    PRODUCT_URL: str = ""
    """Address of a product's page, with {sku} and, where each has its own, {language} in it; empty: the demo shop's."""

    IMAGE_URL: str = ""
    """Address of a product's picture, with {sku} in it; empty: the demo shop's."""

    STAFF_PASSWORD_MINUTES: float = 10.0
    """Age of the last sign-in or password after which exporting or erasing a shopper in the admin asks for the
    password again, in minutes. 0: each time."""

    STAFF_SECOND_FACTOR: str = "off"
    """Whether staff show a code of an app beside their password: "off", "offered" (who set one up must show it) or
    "required" (whoever has none sets one up first). Needs the extra ``second-factor``."""

    STAFF_RECORD_DAYS: float = 730.0
    """Days that it is kept what staff did, at least 365."""

    DEMO_SWITCHER: bool = False
    """Lets a visitor shop as any household: for demonstrations, never where DEBUG is off."""


_latest: tuple[Mapping[str, Any], RecoSettings] | None = None
"""What the host gave last, and what came of it: a list asks dozens of times, and 90 fields take 25 microseconds."""


def reco_settings() -> RecoSettings:
    """Return the host's SHOP_RECO over the defaults.

    Raises:
        ImproperlyConfigured: If SHOP_RECO names a key that does not exist.
    """
    global _latest
    given = getattr(settings, "SHOP_RECO", {})
    latest = _latest
    if latest is None or latest[0] != given:
        latest = _latest = ({**given}, _checked(given))
    return latest[1]


def _checked(given: Mapping[str, Any]) -> RecoSettings:
    unknown = set(given) - set(RecoSettings.__dataclass_fields__)
    if unknown:
        known = ", ".join(sorted(RecoSettings.__dataclass_fields__))
        raise ImproperlyConfigured(f"SHOP_RECO has unknown keys {sorted(unknown)}; known keys: {known}")
    return RecoSettings(**given)
