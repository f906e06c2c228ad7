# A workspace: the members' manifests first, then everything, and the programs of one member.
ARG PYTHON=3.12
ARG FLAGS=""
FROM python:${PYTHON}-slim AS base
FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

FROM base AS dependencies
COPY --from=uv /uv /usr/local/bin/uv
WORKDIR /workspace
COPY pyproject.toml uv.lock ./
COPY --parents packages/*/pyproject.toml ./
ARG FLAGS
RUN uv sync --frozen --no-install-workspace ${FLAGS}

FROM dependencies AS checks
COPY . .
RUN uv sync --locked --all-packages
RUN uv run --no-sync pytest -q && uv run --frozen ruff check

FROM dependencies AS api
COPY packages packages
RUN uv sync --locked --package api --no-dev
ENV PATH=/workspace/.venv/bin:$PATH
CMD ["api"]
