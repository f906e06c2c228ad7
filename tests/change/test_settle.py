"""What is asked for, read and completed; what cannot exist is refused, what the tables do not know is not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import pytest
from packaging.version import Version

from auditor.change.settle import Present, Settled, settle
from auditor.change.wanted import parse_wanted
from auditor.errors import ConfigError

PRESENT: Final = Present(
    declared=frozenset({"torch", "torchvision", "torchaudio", "flash-attn", "triton"}),
    locked={"torch": Version("2.6.0+cu124"), "torchvision": Version("0.21.0+cu124"), "numpy": Version("2.2.6")},
    others=frozenset({"torch", "torchvision", "numpy"}),
    builds=(("cu124",), ("cu124",)),
    minor=11,
    cuda="12.4.1",
    variant="cudnn",
    ubuntu="22.04",
)
DEFAULT: Final = replace(PRESENT, builds=((), ()), locked={"torch": Version("2.6.0")})
PLAIN: Final = replace(PRESENT, variant="runtime")


def settled(text: str, present: Present = PRESENT) -> Settled:
    """What arguments, separated by spaces, come to."""
    return settle(parse_wanted(text.split()), present)


FORMS: Final = {
    "torch": "'torch' sets nothing",
    "=2.8": "'=2.8' sets nothing",
    "torch>=2.8": "sets nothing",
    "torch===2.8.0": "sets nothing",
    "torch==": "'' is no version",
    "torch==2.8.*": r"'2\.8\.\*' is no version",
    "torch=2.8.0": "names no part of the image",
    "cuda==12.8.1": "cuda is no package",
    "cuda=12": "'12' is no cuda",
    "cuda=cu128": "'cu128' is no cuda",
    "python=3.12.4": r"'3\.12\.4' is no python",
    "python=2.7": r"'2\.7' is no python",
    "ubuntu=jammy": "'jammy' is no ubuntu",
    "variant=devel": "'devel' is no variant",
    "uv=latest": "'latest' is no uv",
    "cmake=new": "'new' is no cmake",
    "torch==2.8.0 torch==2.7.1": "torch is to be 2.8.0 and 2.7.1",
    "cuda=12.8.1 cuda=12.4.1": r"cuda is to be 12\.8\.1 and 12\.4\.1",
    "torch==2.8.0+cu128 cuda=12.4": r"torch 2\.8\.0\+cu128 is built for CUDA 12\.8",
}


@pytest.mark.parametrize(("text", "message"), FORMS.items(), ids=FORMS)
def test_another_form_is_refused_with_the_right_one(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_wanted(text.split())
    assert caught.value.hint


def test_forms_that_are_the_same() -> None:
    assert parse_wanted(["Flash_Attn==2.8.4"]) == parse_wanted(["flash-attn == 2.8.4"])
    assert parse_wanted(["cmake==3.31.6"]) == parse_wanted(["cmake=3.31.6"])
    assert parse_wanted(["torch==2.8.0+cu128"]).cuda == "12.8"
    assert parse_wanted(["uv==0.13.9"]).packages == {"uv": Version("0.13.9")}
    assert parse_wanted(["uv=0.13.9"]).uv == "0.13.9"


# Arguments, what is there -> what is said, and the nearest that exists.
REFUSED: Final = {
    "no build for the index": ("torch==2.8.0", PRESENT, "no build for CUDA 12.4", "cuda=12.6"),
    "no build for the CUDA": ("cuda=12.8", PRESENT, "torch 2.6.0 has no build for CUDA 12.8", "torch 2.7, 2.8"),
    "no build, both given": ("torch==2.9.0 cuda=12.4.1", PRESENT, "no build for CUDA 12.4", "cuda=12.6"),
    "no build, a CUDA from long ago": ("torch==2.8.0 cuda=11.8", PLAIN, "no build for CUDA 11.8", "cuda=12.6"),
    "another major than the default index has": (
        "torch==2.10.0 cuda=13.0",
        DEFAULT,
        "torch 2.10.0 of the default index is built for CUDA 12.8, not for CUDA 13.0",
        "cuda=12.8",
    ),
    "a Python that is too new": ("python=3.14", PRESENT, "no wheels for Python 3.14", "python=3.13"),
    "a Python that is too old": ("torch==2.9.0 cuda=12.8 python=3.9", PRESENT, "no wheels for Python 3.9", "3.10"),
    "the Python that is there": (
        "torch==2.9.0 cuda=12.8",
        replace(PRESENT, minor=9),
        "no wheels for Python 3.9",
        "Python 3.9 has torch 2.0 to 2.8",
    ),
    "a companion of another torch": (
        "torch==2.8.0 cuda=12.8 torchvision==0.22.1",
        PRESENT,
        "torchvision 0.22.1 does not fit torch 2.8.0: it goes with torch 2.7",
        "torchvision 0.23.0",
    ),
    "a companion of the torch that is not set": ("torchaudio==2.8.0", PRESENT, "does not fit torch 2.6.0", "2.6.0"),
    "triton of another torch": ("triton==3.4.0", PRESENT, "triton 3.4.0 does not fit torch 2.6.0", "leave it out"),
    "no cuDNN there": ("torch==2.8.0 cuda=12.8.2", PRESENT, "CUDA 12.8.2 has no cuDNN image", "12.8.1-cudnn-devel"),
    "no such patch": ("torch==2.8.0 cuda=12.6.0 ubuntu=18.04", PRESENT, "no image of Ubuntu 18.04", "20.04"),
    "an older cuDNN's name": ("torch==2.6.0 cuda=11.8.0", PRESENT, "cudnn8", "11.8.0-cudnn8-devel"),
    "no patch is known": ("cuda=13.9", PRESENT, "no image of CUDA 13.9 on Ubuntu 22.04 is known", "13.2"),
    "no patch with cuDNN": ("cuda=12.3", PRESENT, "no image with cuDNN of CUDA 12.3", "12.3"),
    "an Ubuntu that is too new": ("ubuntu=24.04", PRESENT, "has no image of Ubuntu 24.04", "12.4.1-cudnn-devel"),
    "a package that is needed by another": ("numpy==2.3.1", PRESENT, "no project declares numpy", "another package"),
    "a slip": ("tourch==2.8.0", PRESENT, "no project declares tourch", "did you mean torch?"),
    "what is nowhere": ("pandas==2.2", PRESENT, "no project declares pandas", "uv add"),
    "several indexes": (
        "cuda=12.6",
        replace(PRESENT, builds=(("cu124", "cu128"), ("cu124",))),
        "cuda=12.6 is ambiguous: one project takes torch from cu124 and cu128",
        "--variant",
    ),
}


@pytest.mark.parametrize(("text", "present", "what", "nearest"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_exist_is_refused(text: str, present: Present, what: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(what)) as caught:
        settled(text, present)
    assert nearest in (caught.value.hint or "")


# Arguments, what is there -> CUDA, build and packages to be set, and words of the notes.
ALLOWED: Final = {
    "a patch release": ("torch==2.8.0 cuda=12.8", PRESENT, "12.8.1", "cu128", "torch torchaudio torchvision", "along"),
    "in full": ("torch==2.8.0 cuda=12.8.0", PRESENT, "12.8.0", "cu128", "torch torchaudio torchvision", "along"),
    "the newest without cuDNN": ("cuda=12.4", PLAIN, "12.4.1", "", "", ""),
    "the same build": ("torch==2.5.1", PRESENT, "", "", "torch torchaudio torchvision", "0.20.1 along"),
    "a companion that is given": (
        "torch==2.5.1 torchvision==0.20.0",
        PRESENT,
        "",
        "",
        "torch torchaudio torchvision",
        "torchaudio==2.5.1 along",
    ),
    "the default index": ("torch==2.8.0", DEFAULT, "12.8.1", "", "torch torchaudio torchvision", "cuda=12.8.1 along"),
    "the default index, same CUDA": ("torch==2.5.1", DEFAULT, "", "", "torch torchaudio torchvision", "along"),
    "the default index, an image of its own": (
        "torch==2.8.0",
        replace(DEFAULT, cuda="12.6.3"),
        "",
        "",
        "torch torchaudio torchvision",
        "along",
    ),
    "another minor": ("cuda=12.6.3", DEFAULT, "12.6.3", "", "", "is built for CUDA 12.4, the image is to have 12.6"),
    "a torch after the tables": (
        "torch==2.16.0",
        PRESENT,
        "",
        "",
        "torch",
        "which CUDA builds torch 2.16.0 has is not known",
    ),
    "builds that are not known": (
        "torch==2.13.0 cuda=13.0",
        PRESENT,
        "13.0.3",
        "cu130",
        "torch torchvision",
        "not known",
    ),
    "a Python after the tables": (
        "torch==2.15.0 python=3.16",
        DEFAULT,
        "13.2.1",
        "",
        "torch torchvision",
        "Python 3.16",
    ),
    "a CUDA after the tables": (
        "torch==2.16.0 cuda=13.9.0",
        PRESENT,
        "13.9.0",
        "cu139",
        "torch",
        "newer than the tables",
    ),
    "no CUDA images": ("ubuntu=24.04", replace(PRESENT, cuda=""), "", "", "", ""),
    "no torch": ("python=3.14", replace(PRESENT, locked={}, builds=((), ())), "", "", "", ""),
    "drift between the locks": (
        "torch==2.8.0 cuda=12.8",
        replace(PRESENT, builds=(("cu128",), ("cu124",))),
        "12.8.1",
        "cu128",
        "torch torchaudio torchvision",
        "along",
    ),
}


@pytest.mark.parametrize(("text", "present", "cuda", "build", "packages", "note"), ALLOWED.values(), ids=ALLOWED)
def test_what_may_exist_is_completed(
    text: str, present: Present, cuda: str, build: str, packages: str, note: str
) -> None:
    found = settled(text, present)
    assert (found.wanted.cuda, found.build) == (cuda, build)
    assert sorted(found.wanted.packages) == packages.split()
    assert note in "\n".join(found.notes)
    assert bool(found.notes) == bool(note)
