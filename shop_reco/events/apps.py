from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "shop_reco.events"
    label = "reco_events"
    verbose_name = "Events"
    default_auto_field = "django.db.models.BigAutoField"
