# One image for web, worker and beat; docker-compose.yml says which is which.
FROM python:3.11-slim-bookworm AS build

ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt .
# The data of the demo are no part of a production, and neither are the tests of packages.
RUN grep -v '^completejourney' requirements.txt > production.txt \
    && /opt/venv/bin/pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r production.txt \
    && find /opt/venv -depth -type d \( -name tests -o -name test -o -name include \) -path '*site-packages*' \
        -not -path '*/numpy/*' -not -path '*/torch/*' -exec rm -rf {} + \
    && find /opt/venv -name '*.pyi' -delete

FROM python:3.11-slim-bookworm

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    DJANGO_SETTINGS_MODULE=shop_reco.settings.production

WORKDIR /app
RUN useradd --system --uid 10001 --home-dir /tmp --shell /usr/sbin/nologin reco \
    && mkdir -p /srv/artifacts /srv/privacy \
    && chown reco:reco /srv/artifacts /srv/privacy \
    && chmod 700 /srv/privacy
COPY --from=build /opt/venv /opt/venv
COPY manage.py ./
COPY deploy/granian.json ./deploy/
COPY reco_engine ./reco_engine
COPY shop_reco ./shop_reco
COPY templates ./templates
COPY locale ./locale

# The static files need no secret; the values here live in this step alone.
RUN SECRET_KEY=build-only-build-only-build-only-build-only-build-only ALLOWED_HOSTS=localhost \
    DATABASE_URL=sqlite:////tmp/build.sqlite3 BROKER_URL=memory:// \
    python manage.py collectstatic --noinput \
    && rm -rf /tmp/*

USER reco
VOLUME /srv/artifacts /srv/privacy
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--log-config", "deploy/granian.json", "--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers", "shop_reco.wsgi:application"]
