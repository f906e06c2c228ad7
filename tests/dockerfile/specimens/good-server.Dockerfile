# A server that compiles kernels of its own: the wheel depends on its sources, as it must, and on no lock. Lists of
# requirements instead of a lock, the number of jobs from the machine, a small image in the end.
ARG CUDA_VERSION=12.9.1
ARG PYTHON_VERSION=3.12
ARG BUILD_IMAGE=nvidia/cuda:${CUDA_VERSION}-devel-ubuntu22.04
ARG FINAL_IMAGE=nvidia/cuda:${CUDA_VERSION}-base-ubuntu22.04

FROM ${BUILD_IMAGE} AS base
ARG CUDA_VERSION
ARG PYTHON_VERSION
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update -y && apt-get install -y ccache git gcc-10 python3-pip
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
RUN uv venv --python ${PYTHON_VERSION} /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH UV_HTTP_TIMEOUT=500
WORKDIR /workspace
COPY requirements/common.txt requirements/cuda.txt requirements/
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install -r requirements/cuda.txt \
    --extra-index-url https://wheels.example/whl/cu$(echo $CUDA_VERSION | cut -d. -f1,2 | tr -d .)

FROM base AS build
COPY requirements/build.txt requirements/build.txt
RUN uv pip install -r requirements/build.txt
COPY . .
ARG torch_cuda_arch_list='8.0 8.9 9.0+PTX'
ENV TORCH_CUDA_ARCH_LIST=${torch_cuda_arch_list}
RUN --mount=type=cache,target=/root/.cache/ccache \
    --mount=type=bind,source=.git,target=.git \
    MAX_JOBS=$(nproc) NVCC_THREADS=2 python3 setup.py bdist_wheel --dist-dir=dist --py-limited-api=cp38

FROM base AS dev
COPY requirements/dev.txt requirements/dev.txt
RUN uv pip install -r requirements/dev.txt

FROM ${FINAL_IMAGE} AS server-base
ARG PYTHON_VERSION
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
RUN uv venv --python ${PYTHON_VERSION} /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
RUN --mount=type=bind,from=build,source=/workspace/dist,target=/dist uv pip install /dist/*.whl

FROM server-base AS server
ENTRYPOINT ["server", "serve"]
