# One stage, an environment outside of the sources, tests by `uv run` that leaves the environment alone.
FROM python:3.11-slim
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /uvx /bin/
ENV UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_LOCKED=1 \
    UV_NO_SYNC=1
WORKDIR /code
COPY pyproject.toml uv.lock ./
RUN uv sync --no-dev --no-install-project
COPY src ./src
COPY README.md ./
RUN uv sync --no-dev
RUN uv run python -m compileall -q src
ENV PATH="/opt/venv/bin:${PATH}"
CMD uv run python -m app
