# One image for web, worker and beat; docker-compose.yml says which is which.
FROM python:3.11-slim-bookworm

ARG TORCH_INDEX=""
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=shop_reco.settings.production

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt

COPY manage.py ./
COPY reco_engine ./reco_engine
COPY shop_reco ./shop_reco
COPY templates ./templates
COPY locale ./locale

# The static files need no secret; the values here live in this step alone.
RUN SECRET_KEY=build ALLOWED_HOSTS=localhost DATABASE_URL=sqlite:////tmp/build.sqlite3 BROKER_URL=memory:// \
    python manage.py collectstatic --noinput \
    && useradd --system --uid 10001 --home-dir /app reco \
    && mkdir -p /srv/artifacts \
    && chown reco:reco /srv/artifacts

USER reco
VOLUME /srv/artifacts
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--workers", "2", "--blocking-threads", "4", "shop_reco.wsgi:application"]
