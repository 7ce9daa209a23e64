FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=shop_reco.settings.production
WORKDIR /app
COPY requirements.txt .
ARG TORCH_INDEX=
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX} -r requirements.txt
COPY manage.py ./
COPY reco_engine reco_engine
COPY shop_reco shop_reco
COPY templates templates
COPY locale locale
RUN useradd --create-home shop \
    && mkdir -p /srv/static /srv/artifacts \
    && SECRET_KEY=build ALLOWED_HOSTS=localhost DATABASE_URL=sqlite:////tmp/none BROKER_URL=memory:// \
       python manage.py collectstatic --no-input \
    && chown -R shop /srv
USER shop
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "shop_reco.wsgi:application"]
