from django.core.asgi import get_asgi_application

from .web_process import prepared

application = prepared(get_asgi_application)
