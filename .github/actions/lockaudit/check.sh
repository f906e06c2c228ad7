#!/usr/bin/env bash
# Runs `lockaudit check` for a GitHub workflow: annotations on the lines, a summary on the run's page, a SARIF file for
# code scanning, a plan for comment.sh. Reads LOCKAUDIT_ROOT, LOCKAUDIT_ARGS, LOCKAUDIT_VERSION, LOCKAUDIT_SARIF,
# LOCKAUDIT_PLAN and LOCKAUDIT_BASE, which action.yml sets, and exits as `lockaudit check` does.
set -euo pipefail

fail() {
    printf 'lockaudit: %s\n' "$1" >&2
    exit 2
}

# Words only, and no globs: neither an expansion nor a command comes out of an input.
arguments=()
IFS=$' \t\r\n' read -r -d '' -a arguments <<<"${LOCKAUDIT_ARGS:-}" || true
root=${LOCKAUDIT_ROOT:-.}
version=${LOCKAUDIT_VERSION:-}
[[ $version =~ ^[0-9A-Za-z.+!]*$ ]] || fail 'the input `version` is not a version'

scratch=$(mktemp -d "${RUNNER_TEMP:-/tmp}/lockaudit.XXXXXX")
here=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)

# own_revision: an environment with what this revision of lockaudit needs, every file checked against its hash. Nothing
# is built: lockaudit runs from its sources. The workspace configures none of it, and is not on Python's path (-P).
own_revision() {
    cd "$scratch"
    if command -v uv >/dev/null; then
        uv venv --quiet --python '>=3.11' "$scratch/venv"
        uv pip install --quiet --python "$scratch/venv/bin/python" --no-deps --only-binary :all: \
            --require-hashes --requirement "$GITHUB_ACTION_PATH/requirements.txt"
    else
        python3 -m venv "$scratch/venv" || fail 'this needs uv, or Python 3.11 or newer with its venv module'
        "$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
            --require-hashes --requirement "$GITHUB_ACTION_PATH/requirements.txt"
    fi
    cd "$OLDPWD"
    command=(env "PYTHONPATH=$here" "$scratch/venv/bin/python" -P -m auditor)
}

if [[ -n $version ]]; then
    if command -v uv >/dev/null; then
        command=(uv tool run --quiet --from "lockaudit==$version" lockaudit)
    elif command -v pipx >/dev/null; then
        command=(pipx run --quiet --spec "lockaudit==$version" lockaudit)
    else
        fail 'the input `version` needs uv or pipx on PATH'
    fi
elif command -v lockaudit >/dev/null; then
    command=(lockaudit)
else
    own_revision
fi

check() { # check FORMAT [ARGUMENT...]: what is given later wins, so that `args` cannot change the format
    "${command[@]}" check ${arguments[@]+"${arguments[@]}"} --output-format "$@" -- "$root"
}

code=0
# Every line of stderr gets a prefix: one that began with `::` would be a command.
check github 2>"$scratch/stderr" || code=$?
sed 's/^/lockaudit: /' "$scratch/stderr" >&2

{
    printf '### lockaudit\n\n<pre>\n'
    { check text --color never 2>&1 || true; } | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
    printf '</pre>\n'
} >>"$GITHUB_STEP_SUMMARY"

printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
if [[ ${LOCKAUDIT_SARIF:-} == true && $code -le 1 ]]; then
    check sarif --output-file "$scratch/lockaudit.sarif" >/dev/null 2>&1 || true
    printf 'sarif-file=%s\n' "$scratch/lockaudit.sarif" >>"$GITHUB_OUTPUT"
fi

# plan: what the pull request costs, as Markdown. A plan that cannot be made says why, and fails nothing.
plan() {
    [[ $base =~ ^[0-9a-f]{40,64}$ ]] || fail 'the input `plan` needs the event `pull_request`'
    git -C "$root" cat-file -e "$base^{commit}" 2>/dev/null ||
        git -C "$root" fetch --quiet --no-tags --depth=1 origin "$base"
    "${command[@]}" plan --base "$base" --output-format markdown -- "$root" >"$scratch/plan.md"
}

base=${LOCKAUDIT_BASE:-}
if [[ ${LOCKAUDIT_PLAN:-} == true && $code -le 1 ]]; then
    if (plan) 2>"$scratch/stderr"; then
        cat "$scratch/plan.md" >>"$GITHUB_STEP_SUMMARY"
        printf 'plan-file=%s\n' "$scratch/plan.md" >>"$GITHUB_OUTPUT"
    fi
    sed 's/^/lockaudit: /' "$scratch/stderr" >&2
fi
exit "$code"
