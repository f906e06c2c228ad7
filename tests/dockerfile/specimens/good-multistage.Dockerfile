# An application in two stages: uv makes the environment from the lock, the image that runs has no uv.
FROM ghcr.io/astral-sh/uv:0.13.9-python3.12-bookworm-slim AS builder
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=0
WORKDIR /srv/app
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    uv sync --locked --no-install-project --no-dev
COPY . .
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev

FROM python:3.12-slim-bookworm
RUN useradd --create-home app
COPY --from=builder --chown=app:app /srv/app /srv/app
ENV PATH="/srv/app/.venv/bin:$PATH"
USER app
HEALTHCHECK CMD curl --fail http://localhost:8000/health || exit 1
CMD ["uvicorn", "app.main:api", "--host", "0.0.0.0"]
