# Training: a devel image builds, a base image runs, and the toolkit that kernels are compiled with at run time is cut to
# what they need. flash-attn comes as a wheel that the lock names by URL, so the variable below only guards a fallback.
FROM nvidia/cuda:12.8.1-cudnn-devel-ubuntu24.04 AS builder
ENV DEBIAN_FRONTEND=noninteractive CUDA_HOME=/usr/local/cuda
ENV PATH=$PATH:/usr/local/cuda/bin
RUN apt-get update && apt-get install -y --no-install-recommends build-essential git libibverbs-dev python3.12-dev \
    && ln -sf /usr/bin/python3.12 /usr/local/bin/python && rm -rf /var/lib/apt/lists/*
ARG TRANSPORT_VERSION=1.19.1
RUN git clone --depth 1 --branch v${TRANSPORT_VERSION} https://github.com/openucx/ucx.git /tmp/ucx \
    && cd /tmp/ucx && ./autogen.sh && ./configure --prefix=/opt/ucx && make -j"$(nproc)" && make install
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
ENV UV_PROJECT_ENVIRONMENT=/app/.venv UV_CACHE_DIR=/cache/uv UV_LINK_MODE=copy
ENV FLASH_ATTENTION_SKIP_CUDA_BUILD=TRUE
WORKDIR /app
RUN --mount=type=cache,target=/cache/uv \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    uv sync --locked --no-dev --all-extras --no-install-project
COPY pyproject.toml uv.lock README.md ./
COPY src ./src
RUN --mount=type=cache,target=/cache/uv \
    if [ -d /ctx/.git ]; then export SETUPTOOLS_SCM_PRETEND_VERSION="$(cat VERSION)"; fi; \
    uv sync --locked --no-dev --all-extras
RUN --mount=type=cache,target=/cache/uv VIRTUAL_ENV=/app/.venv uv pip install 'tracker>=0.7'

FROM builder AS toolkit
RUN find /usr/local/cuda/targets -name 'libcublas*' -delete && find /usr/local/cuda/ -name '*.a' -delete

FROM nvidia/cuda:12.8.1-base-ubuntu24.04
RUN apt-get update && apt-get install -y --no-install-recommends gcc python3.12-dev && rm -rf /var/lib/apt/lists/*
COPY --from=toolkit /usr/local/cuda/ /usr/local/cuda/
COPY --from=builder /opt/ucx /opt/ucx
WORKDIR /app
# The largest trees as layers of their own.
COPY --from=builder /app/.venv/lib/python3.12/site-packages/torch /app/.venv/lib/python3.12/site-packages/torch
COPY --from=builder /app/.venv/lib/python3.12/site-packages/flash_attn_2_cuda*.so /app/.venv/lib/python3.12/site-packages/
COPY --from=builder --exclude=.venv/lib/python3.12/site-packages/torch /app /app
COPY scripts/entrypoint.sh /app/entrypoint.sh
ENV PATH="/app/.venv/bin:/usr/local/cuda/bin:$PATH" LD_LIBRARY_PATH="/opt/ucx/lib${LD_LIBRARY_PATH:+:${LD_LIBRARY_PATH}}"
ENTRYPOINT ["/app/entrypoint.sh"]
CMD ["sleep", "infinity"]
