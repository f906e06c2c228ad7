# A Python of uv's own, which travels with the environment; the last stage is a bare Debian.
FROM ghcr.io/astral-sh/uv:0.13.9-bookworm-slim AS build
ENV UV_PYTHON_INSTALL_DIR=/python UV_PYTHON_PREFERENCE=only-managed
RUN uv python install 3.12
WORKDIR /app
RUN --mount=type=bind,source=prod/uv.lock,target=uv.lock \
    --mount=type=bind,source=prod/pyproject.toml,target=pyproject.toml \
    uv sync --locked --no-default-groups --no-install-project
COPY prod/ ./
RUN uv sync --locked --no-default-groups

FROM debian:bookworm-slim AS production
COPY --from=build /python /python
COPY --from=build /app/.venv /app/.venv
ENV VIRTUAL_ENV=/app/.venv PATH=/app/.venv/bin:$PATH
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "app"]
