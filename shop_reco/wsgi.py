from django.core.wsgi import get_wsgi_application

from .web_process import prepared

application = prepared(get_wsgi_application)
