# The two images of a project with a root lock and one in prod/, as people write them before they know better. Every line
# with a defect is named in tests/rules/test_dockerfile_specimens.py; the file builds nothing.
#
# CUDA_VARIANT picks the flavor of the CUDA image: cudnn, runtime or base.
ARG CUDA_VERSION=12.4.1
ARG CUDA_VARIANT=cudnn
ARG UBUNTU_VERSION=22.04

FROM nvidia/cuda:${CUDA_VERSION}-${CUDA_VARIANT}-devel-ubuntu${UBUNTU_VERSION} AS system
RUN apt-get update && apt-get install -y --no-install-recommends curl git python3 python3-dev python3-pip wget
RUN curl -LsSf https://astral.sh/uv/install.sh | UV_INSTALL_DIR=/usr/local/bin sh
WORKDIR /app

FROM system AS python-dev
ENV UV_PROJECT_ENVIRONMENT=/env/dev
COPY pyproject.toml uv.lock ./
RUN uv sync

FROM system AS python-prod
COPY prod/pyproject.toml prod/uv.lock ./
RUN uv venv /env/prod && uv pip install --python /env/prod/bin/python -r uv.lock

FROM python-dev AS flash-dev
ARG CMAKE_VERSION=3.26.1
ARG MAX_JOBS=8
RUN wget -q https://github.com/Kitware/CMake/releases/download/v${CMAKE_VERSION}/cmake-${CMAKE_VERSION}-linux-x86_64.sh && \
    sh cmake-${CMAKE_VERSION}-linux-x86_64.sh --skip-license --prefix=/usr/local
RUN FLASH_ATTN_CUDA_ARCHS="80;90" uv run --no-sync pip wheel --no-deps --no-build-isolation -w /wheels flash-attn==2.6.1

FROM python-prod AS flash-prod
ARG CMAKE_VERSION=3.26.1
ENV NVCC_THREADS=4
ADD https://github.com/Kitware/CMake/releases/download/v${CMAKE_VERSION}/cmake-${CMAKE_VERSION}-linux-x86_64.tar.gz /opt/cmake/
ENV FLASH_ATTN_CUDA_ARCHS="80;90"
RUN python3 -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels "flash-attn==2.6.1"

FROM python-dev AS dev
COPY . .
RUN --mount=type=bind,from=flash-dev,source=/wheels,target=/wheels uv pip install --no-index --find-links /wheels flash-attn
ENV VIRTUAL_ENV=/opt/venv \
    PATH="/opt/venv/bin:$PATH"
CMD ["bash"]

FROM system AS prod
COPY prod/ ./
RUN uv sync --locked
RUN uv sync --locked
COPY --from=flash-prod /wheels /wheels
RUN uv pip install /wheels/*.whl
ENV PATH="/app/.venv/bin:$PATH"
CMD ["uv", "run", "python", "-m", "app"]
