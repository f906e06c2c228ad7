"""The bake targets of the wheels: one for each build key, one for the wheels of a build together.

Builds whose keys are the same share the target, and so the cache: which of them is baked first makes no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.bake.model import Target
from auditor.bake.value import Template, Var

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.bake.cache import Cache
    from auditor.bake.model import Block
    from auditor.bake.plan import Images
    from auditor.wheel.build_lock import BuildLock
    from auditor.wheel.key import BuildKey

# buildx passes SOURCE_DATE_EPOCH of the environment to every target that does not set it.
NO_DATE: Final = {"SOURCE_DATE_EPOCH": "0"}


class WheelTargets:
    """The targets of all wheels.

    Attributes:
        keys: every key once, readable -> the first build with it.
        caches: their names, in the same order.
        sets: the keys of a build, each set once -> the first build with it.
        results: the targets that hold all wheels of a build, each once.
        houses: the targets that push them.
    """

    def __init__(self, images: Sequence[Images], cache: Cache, words: Mapping[str, tuple[str, str]]) -> None:
        """Name the targets.

        Args:
            images: what is built.
            cache: where caches are kept.
            words: name of a build -> what its targets inherit from, and what tells it from others.
        """
        self.several = any(each.name for each in images)
        self.cache = cache
        self.words = words
        self.keys: dict[str, Images] = {}
        self.sets: dict[tuple[str, ...], Images] = {}
        for each in images:
            for key in each.keys:
                self.keys.setdefault(key.readable, each)
            if each.keys:
                self.sets.setdefault(_set(each), each)
        self.caches = [f"wheel-{key}" for key in self.keys]
        self.results = [self.result(each) for each in self.sets.values()]
        self.houses = [each.called("wheelhouse") for each in self.sets.values()]

    def result(self, images: Images) -> str:
        """The name of the target that holds the wheels of a build."""
        wheels = _set(images)
        return self.target_of(wheels[0]) if len(wheels) == 1 else self.sets[wheels].called("wheel-prod")

    def target_of(self, readable: str) -> str:
        """The name of the target that compiles one wheel."""
        owner = self.keys[readable]
        name = next(key.name for key in owner.keys if key.readable == readable)
        return owner.called("wheel-prod" if len(owner.keys) == 1 else f"wheel-{name}")

    def house_tag(self, images: Images) -> str:
        """The tag of an image with the wheels of a build: their key, or that of all of them together."""
        if len(images.keys) == 1:
            return images.keys[0].readable
        from auditor.wheel.key import digest_of  # noqa: PLC0415

        return f"wheels-{digest_of({key.name: key.readable for key in images.keys})}"

    def blocks(self) -> tuple[Block, ...]:
        """Every target, those that compile first."""
        return tuple(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        for readable, owner in self.keys.items():
            index = next(index for index, key in enumerate(owner.keys) if key.readable == readable)
            yield self.wheel(owner, owner.keys[index], owner.locks[index])
        for wheels, owner in self.sets.items():
            if len(wheels) > 1:
                yield self.together(owner)
        for owner in self.sets.values():
            if not self.several:
                yield self.wheel_dev(owner)
            yield self.wheelhouse(owner)

    def wheel(self, owner: Images, key: BuildKey, lock: BuildLock) -> Target:
        """One compile."""
        parent, about = self.words[owner.name]
        return Target(
            name=self.target_of(key.readable),
            attributes={
                "description": f"Compile {key.package.label} for torch {key.torch.version}; takes hours, once{about}",
                "inherits": [parent],
                "target": "wheel-prod",
                "args": {
                    "PACKAGE": key.name,
                    "UV_VERSION": lock.uv,
                    **NO_DATE,
                },
                "cache-to": self.cache.write(f"wheel-{key.readable}", mode="min", lossy=False),
                "output": [{"type": "cacheonly"}],
            },
            notes={
                "args": (
                    "The uv that the wheel was first compiled with, and no date from the environment: neither may",
                    "compile it anew.",
                )
            },
        )

    def together(self, owner: Images) -> Target:
        """One image of several wheels. In the Dockerfile the stage of this name compiles all of them, one by one."""
        parent, about = self.words[owner.name]
        lines = ["FROM scratch", *(f"COPY --from=wheel-{key.name} / /" for key in owner.keys)]
        return Target(
            name=self.result(owner),
            comment=("Each wheel is a target and a cache of its own; here they come together.",),
            attributes={
                "description": f"The wheels of the production image{about}",
                "inherits": [parent],
                "dockerfile-inline": "".join(f"{line}\n" for line in lines),
                "contexts": {f"wheel-{key.name}": f"target:{self.target_of(key.readable)}" for key in owner.keys},
                "args": NO_DATE,
                "output": [{"type": "cacheonly"}],
            },
        )

    def wheel_dev(self, owner: Images) -> Target:
        """The wheels of the development image: the same ones."""
        parent, _ = self.words[owner.name]
        return Target(
            name="wheel-dev",
            comment=("The same wheels: `lockaudit check` proves that dev and prod ask for the same ones (LA201).",),
            attributes={
                "description": "The wheels of the development image",
                "inherits": [parent],
                "target": "wheel-dev",
                "contexts": {"wheel-prod": f"target:{self.result(owner)}"},
                "args": NO_DATE,
                "output": [{"type": "cacheonly"}],
            },
        )

    def wheelhouse(self, owner: Images) -> Target:
        """An image that holds the wheels of a build, to be pushed."""
        parent, about = self.words[owner.name]
        layers = "one layer" if len(owner.keys) == 1 else "a layer for each wheel"
        use = (
            f"an image of their own, for WHEELS_FROM{about}"
            if self.several
            else ("an image of their own, to use as WHEELS_FROM")
        )
        return Target(
            name=owner.called("wheelhouse"),
            attributes={
                "description": f"Push the wheels as {use}",
                "inherits": [parent],
                "target": "wheel-dev",
                "contexts": {"wheel-prod": f"target:{self.result(owner)}"},
                "args": NO_DATE,
                "tags": [Template((Var("WHEELHOUSE"), f":{self.house_tag(owner)}"))],
                "attest": [{"type": "provenance", "disabled": True}],
                "output": [{"type": "image", "push": True}],
            },
            notes={"attest": (f"One manifest with {layers}; an attestation would make an index of it.",)},
        )


def _set(images: Images) -> tuple[str, ...]:
    return tuple(key.readable for key in images.keys)
