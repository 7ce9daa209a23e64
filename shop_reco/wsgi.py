from collections.abc import Callable, Iterable

from django.core.wsgi import get_wsgi_application

from .web_process import prepared


def build() -> Callable[..., Iterable[bytes]]:
    """The project, and before it what a flood does not get past."""
    application = get_wsgi_application()
    from .api.floods import turn_floods_away  # its models need the project's apps

    return turn_floods_away(application)


application = prepared(build)
