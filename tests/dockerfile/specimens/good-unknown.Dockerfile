# What nobody can tell from here: a team's own image, scripts of the context, arguments without a value.
ARG REGISTRY
ARG SYNC_FLAGS
ARG EXTRAS=""
FROM ${REGISTRY}/base:latest AS base
FROM team.example/images/python-cuda:12-devel AS toolchain

FROM base AS environment
WORKDIR /srv
ARG SYNC_FLAGS
ARG EXTRAS
COPY . .
RUN uv sync ${SYNC_FLAGS}
RUN uv sync $EXTRAS --inexact
RUN bash scripts/install.sh

FROM toolchain AS wheel
ARG PACKAGE
ARG VERSION
COPY scripts/build.env /build.env
RUN . /build.env && pip wheel --no-build-isolation flash-attn
RUN eval "$(./settings)" && pip wheel "$PACKAGE==$VERSION" && $RUNNER uv sync
RUN curl -fsSL "$INSTALLER" -o installer && echo "$HASH installer" | sha256sum -c - && sh installer

FROM base AS prod
COPY --from=environment /srv/env /srv/env
COPY --from=team.example/images/tools:1 /opt/tools /opt/tools
ENV PATH=/srv/venv/bin:/opt/tools/venv/bin:$PATH
ENTRYPOINT ["/srv/entrypoint.sh"]
CMD ["uv", "run", "app"]
