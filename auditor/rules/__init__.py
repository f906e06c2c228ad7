"""The rules, in the order of their codes. A new rule is a new row here."""

from __future__ import annotations

from auditor.rules.accept import ignore_unused
from auditor.rules.artifacts import (
    artifact_differs,
    artifact_missing,
    artifact_unhashed,
    artifact_unknown,
    nothing_to_install,
    source_differs,
)
from auditor.rules.bakefile import (
    bake_cache_weak,
    bake_file_stale,
    bake_unknown_attribute,
    build_lock_stale,
    override_undoes_cache,
    shared_cache_ref,
)
from auditor.rules.build_settings import architectures_impossible, build_settings_differ
from auditor.rules.companions import abi_differs, companions_differ, wheel_for_another_torch
from auditor.rules.cuda import image_cuda_differs, torch_missing, torch_pin_differs
from auditor.rules.dockerfile import (
    arch_list_unread,
    build_not_forced,
    compile_depends_on_lock,
    cuda_tag_unknown,
    production_on_devel,
    speed_knob_rekeys,
    venv_path_differs,
)
from auditor.rules.handmade import unhashed_download, version_by_hand
from auditor.rules.health import file_twice, hash_weak, newer_revision, orphan_package
from auditor.rules.installs import lock_not_audited, lock_not_enforced, run_resyncs, selection_not_passed, synced_twice
from auditor.rules.isolation import dead_lock, inherited_settings
from auditor.rules.metadata import contradicts_metadata, extra_unknown, lock_stale
from auditor.rules.registry import registry_not_allowed, registry_unconfigured
from auditor.rules.resolution import (
    edges_differ,
    git_ref_moves,
    resolver_options_differ,
    source_needs_tree,
    two_live_versions,
)
from auditor.rules.rule import Rule
from auditor.rules.subset import (
    dev_only_extra,
    dev_only_group,
    empty_selection,
    not_in_dev,
    requires_python_wider,
    target_not_covered,
    version_differs,
)

RULES: tuple[Rule, ...] = (
    ignore_unused,  # LA001
    not_in_dev,  # LA101
    dev_only_group,  # LA102
    version_differs,  # LA103
    dev_only_extra,  # LA104
    source_differs,  # LA105
    artifact_differs,  # LA106
    artifact_unknown,  # LA107
    artifact_unhashed,  # LA108
    target_not_covered,  # LA109
    empty_selection,  # LA110
    requires_python_wider,  # LA111
    resolver_options_differ,  # LA112
    edges_differ,  # LA113
    nothing_to_install,  # LA114
    two_live_versions,  # LA115
    source_needs_tree,  # LA116
    git_ref_moves,  # LA117
    artifact_missing,  # LA118
    torch_pin_differs,  # LA201
    torch_missing,  # LA202
    image_cuda_differs,  # LA203
    companions_differ,  # LA204
    wheel_for_another_torch,  # LA205
    abi_differs,  # LA206
    build_settings_differ,  # LA207
    architectures_impossible,  # LA209
    lock_stale,  # LA301
    contradicts_metadata,  # LA302
    hash_weak,  # LA303
    registry_not_allowed,  # LA304
    orphan_package,  # LA305
    dead_lock,  # LA306
    inherited_settings,  # LA307
    newer_revision,  # LA308
    file_twice,  # LA309
    extra_unknown,  # LA310
    registry_unconfigured,  # LA311
    compile_depends_on_lock,  # LA401
    cuda_tag_unknown,  # LA402
    production_on_devel,  # LA403
    venv_path_differs,  # LA404
    build_not_forced,  # LA405
    selection_not_passed,  # LA406
    run_resyncs,  # LA407
    version_by_hand,  # LA408
    lock_not_enforced,  # LA409
    unhashed_download,  # LA410
    speed_knob_rekeys,  # LA411
    lock_not_audited,  # LA412
    arch_list_unread,  # LA413
    synced_twice,  # LA414
    bake_file_stale,  # LA501
    build_lock_stale,  # LA502
    shared_cache_ref,  # LA503
    override_undoes_cache,  # LA504
    bake_cache_weak,  # LA505
    bake_unknown_attribute,  # LA506
)

__all__ = ["RULES", "Rule"]
