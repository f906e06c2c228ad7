# lockaudit: the development and the production image, with one compiled wheel.
#
# Written by `lockaudit bake`. Do not edit; put your own settings into docker-bake.override.hcl.
#   lockaudit bake            write it anew, after a change of a lock or a pin
#   lockaudit bake --check    fail if it is out of date
#
# Needs buildx 0.24 or newer.
#   docker buildx bake               the production image
#   docker buildx bake dev prod      both
#   CACHE_WRITE=1 docker buildx bake wheels    compile, and keep the wheels for everybody
#
# In CI, bake `wheels` first and `prod` in a second step: in one step, a prod that fails also
# cancels the export of the wheels' caches. The images are linked to the wheels' targets, so the
# second step would write these caches once more; `--set 'wheel-*.cache-to='` prevents that.

# Knobs. `docker buildx bake --list=variables` explains them.

variable "CACHE_REPO" {
  type        = string
  default     = "localhost:5000/lockaudit-cache"
  description = "Repository of the build cache; empty switches it off"
}

variable "CACHE_WRITE" {
  type        = bool
  default     = false
  description = "Write the caches too; off, because readers have no right to push"
}

variable "DEV_TAG" {
  type        = string
  default     = "dev"
  description = "Tag of the development image"
}

variable "PROD_TAG" {
  type        = string
  default     = "prod"
  description = "Tag of the production image"
}

variable "WHEELS_FROM" {
  type        = string
  default     = ""
  description = "Image that already holds the wheels: nothing is compiled then"
}

variable "WHEELHOUSE" {
  type        = string
  default     = "lockaudit-wheels"
  description = "Repository of the image that `bake wheelhouse` pushes"
}

group "default" {
  description = "The production image"
  targets     = ["prod"]
}

group "wheels" {
  description = "The compiled wheels, as cache"
  targets = [
    "wheel-dev",
    "wheel-prod",
  ]
}

# What every target has in common. The pins are literals: a variable of bake would be overridden by
# one of the environment, and CUDA images export CUDA_VERSION.

# Every target reads every cache: with a list of its own each, targets that are built at once lose
# hits (moby/buildkit#4674).
target "_cache" {
  cache-from = CACHE_REPO != "" ? [
    { type = "registry", ref = "${CACHE_REPO}:wheel-flash-attn-2.8.3-cu124-torch2.6.0-cp311-caa627e30b7c" },
    { type = "registry", ref = "${CACHE_REPO}:dev" },
    { type = "registry", ref = "${CACHE_REPO}:prod" },
  ] : []
}

target "_common" {
  inherits   = ["_cache"]
  context    = "."
  dockerfile = "docker/Dockerfile-uv"
  args = {
    CUDA_VERSION   = "12.4.1"
    CUDA_VARIANT   = "cudnn"
    UBUNTU_VERSION = "22.04"
    UV_VERSION     = "0.13.9"
    PYTHON_VERSION = "3.11"
    CMAKE_VERSION  = "3.26.1"
  }
  platforms = ["linux/amd64"]
  # Optional. Not hashed: another number of jobs compiles nothing anew.
  secret = [
    { id = "max_jobs", env = "MAX_JOBS" },
    { id = "nvcc_threads", env = "NVCC_THREADS" },
    { id = "ca", env = "LOCKAUDIT_CA" },
    { id = "netrc", env = "LOCKAUDIT_NETRC" },
    { id = "uv", env = "LOCKAUDIT_UV_TOML" },
  ]
}

# The wheels. Their caches are named after the build key: everything that decides the wheel's
# bytes. A wheel is compiled when its key is new, and at no other time.

target "wheel-prod" {
  description = "Compile flash-attn 2.8.3 for torch 2.6.0; takes hours, once"
  inherits    = ["_common"]
  target      = "wheel-prod"
  # The uv that the wheel was first compiled with, and no date from the environment: neither may
  # compile it anew.
  args = {
    PACKAGE           = "flash-attn"
    UV_VERSION        = "0.13.9"
    SOURCE_DATE_EPOCH = "0"
  }
  cache-to = CACHE_WRITE ? [
    { type = "registry", ref = "${CACHE_REPO}:wheel-flash-attn-2.8.3-cu124-torch2.6.0-cp311-caa627e30b7c", mode = "min" },
  ] : []
  output = [{ type = "cacheonly" }]
}

# The same wheels: `lockaudit check` proves that dev and prod ask for the same ones (LA201).
target "wheel-dev" {
  description = "The wheels of the development image"
  inherits    = ["_common"]
  target      = "wheel-dev"
  contexts    = { wheel-prod = "target:wheel-prod" }
  args        = { SOURCE_DATE_EPOCH = "0" }
  output      = [{ type = "cacheonly" }]
}

target "wheelhouse" {
  description = "Push the wheels as an image of their own, to use as WHEELS_FROM"
  inherits    = ["_common"]
  target      = "wheel-dev"
  contexts    = { wheel-prod = "target:wheel-prod" }
  args        = { SOURCE_DATE_EPOCH = "0" }
  tags        = ["${WHEELHOUSE}:flash-attn-2.8.3-cu124-torch2.6.0-cp311-caa627e30b7c"]
  # One manifest with one layer; an attestation would make an index of it.
  attest = [{ type = "provenance", disabled = true }]
  output = [{ type = "image", push = true }]
}

# The images.

target "dev" {
  description = "Sources, tools and the locked environment"
  inherits    = ["_common"]
  target      = "dev"
  contexts    = { wheel-prod = WHEELS_FROM != "" ? "docker-image://${WHEELS_FROM}" : "target:wheel-prod" }
  args = {
    DEV_SELECTION = "--extra flash"
    COMPILED      = "flash-attn"
  }
  tags     = ["lockaudit:${DEV_TAG}"]
  cache-to = CACHE_WRITE ? [{ type = "registry", ref = "${CACHE_REPO}:dev", mode = "max", ignore-error = true }] : []
}

target "prod" {
  description = "The minimal image: no sources, no compilers, not root"
  inherits    = ["_common"]
  target      = "prod"
  contexts    = { wheel-prod = WHEELS_FROM != "" ? "docker-image://${WHEELS_FROM}" : "target:wheel-prod" }
  args = {
    PROD_SELECTION = ""
    COMPILED       = "flash-attn"
    IMPORTS        = "torch flash_attn"
  }
  tags     = ["lockaudit:${PROD_TAG}"]
  cache-to = CACHE_WRITE ? [{ type = "registry", ref = "${CACHE_REPO}:prod", mode = "max", ignore-error = true }] : []
}
