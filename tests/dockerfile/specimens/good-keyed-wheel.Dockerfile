# A wheel stage that no lock reaches: keyed by a pin that is taken out of the lock first, or by an ARG.
# CUDA_VARIANT: one of `cudnn`, `runtime` and `base`.
ARG CUDA_VARIANT=cudnn
FROM nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04 AS devel-cudnn
FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS devel-runtime
FROM devel-runtime AS devel-base

FROM python:3.11-slim AS pins
COPY uv.lock /
RUN python - <<'PYTHON'
import pathlib, tomllib
lock = tomllib.loads(pathlib.Path("/uv.lock").read_text())
pins = [f"{p['name']}=={p['version']}" for p in lock["package"] if p["name"] in {"torch", "flash-attn"}]
pathlib.Path("/wheel.txt").write_text("\n".join(pins))
PYTHON

FROM devel-${CUDA_VARIANT} AS wheel
RUN apt-get update && apt-get install -y --no-install-recommends git python3-dev python3-pip && rm -rf /var/lib/apt/lists/*
COPY --from=pins /wheel.txt /
RUN --mount=type=secret,id=max_jobs,env=MAX_JOBS <<'SH'
set -eu
export FLASH_ATTENTION_FORCE_BUILD=TRUE
grep '^torch' /wheel.txt | xargs pip install
pip wheel --no-deps --no-build-isolation --wheel-dir /wheels $(grep '^flash-attn' /wheel.txt)
SH

FROM devel-${CUDA_VARIANT} AS kernels
ENV CAUSAL_CONV1D_FORCE_BUILD=TRUE MAMBA_FORCE_BUILD=TRUE
RUN git clone https://github.com/state-spaces/mamba.git /src/mamba && cd /src/mamba && \
    pip wheel --no-deps --no-build-isolation -w /wheels . && \
    pip wheel --no-deps --no-build-isolation -w /wheels causal-conv1d

FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04 AS prod
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
WORKDIR /app
COPY prod/pyproject.toml prod/uv.lock ./
RUN uv sync --locked --no-dev --no-install-package flash-attn
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    --mount=type=bind,from=kernels,source=/wheels,target=/kernels \
    uv pip install --no-deps /wheels/flash_attn*.whl /kernels/*.whl
ENV PATH=/app/.venv/bin:$PATH
CMD ["python", "-m", "app"]
