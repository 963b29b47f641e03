# One image for web, worker, scheduler and migrations; docker-compose.yml says which does what.
FROM node:24-slim AS frontend
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY --from=frontend /app/node_modules ./node_modules
COPY . .
# Settings refuse to load without secrets; these exist during this one command only and are in no setting afterwards.
RUN XIAOWEI_MODE=production ALLOWED_HOSTS=build DATABASE_URL=postgres://build REDIS_URL=redis://build \
    SECRET_KEY=only-for-collecting-static-files-while-the-image-is-built FIELD_KEYS=build LOOKUP_KEY=build \
    python manage.py collectstatic --no-input --verbosity 0 && rm -rf node_modules
RUN useradd --system --uid 10001 xiaowei && mkdir -p /data/files && chown -R xiaowei /data
USER xiaowei
ENV XIAOWEI_MODE=production FILES_DIR=/data/files
EXPOSE 8000
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4", \
     "--preload", "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]
