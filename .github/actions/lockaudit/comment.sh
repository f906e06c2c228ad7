#!/usr/bin/env bash
# Posts the plan that check.sh has written as one comment of the pull request; the next run updates that comment. Reads
# GH_TOKEN, LOCKAUDIT_PLAN_FILE, LOCKAUDIT_PULL_REQUEST and LOCKAUDIT_ROOT, which action.yml sets. A comment that cannot
# be posted, from a fork for instance, is told and fails nothing: the plan is in the run's summary too.
set -euo pipefail

say() {
    printf 'lockaudit: %s\n' "$1" >&2
}

pull_request=${LOCKAUDIT_PULL_REQUEST:-}
[[ $pull_request =~ ^[0-9]+$ ]] || { say 'no pull request, so there is nothing to comment'; exit 0; }
[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || { say 'this is no repository of GitHub'; exit 0; }
repository=repos/$GITHUB_REPOSITORY

# One comment for each root. It is known by its first line, which no reader sees.
mark='<!-- lockaudit plan -->'
root=${LOCKAUDIT_ROOT:-.}
if [[ $root != . ]]; then
    digest=$(printf '%s' "$root" | sha256sum)
    mark="<!-- lockaudit plan of ${digest:0:12} -->"
fi
body=$(mktemp "${RUNNER_TEMP:-/tmp}/lockaudit.XXXXXX")
{
    printf '%s\n' "$mark"
    tail -n +2 "$LOCKAUDIT_PLAN_FILE"
} >"$body"
# GitHub takes 65,536 characters: of a longer plan, what stands before the first table.
if [[ $(wc -c <"$body") -gt 60000 ]]; then
    sed -i '/<details/,$d' "$body"
    printf 'The tables are too long for a comment; they are in the summary of the run.\n' >>"$body"
fi

# Only a comment of the workflow's own account: anybody can write the mark.
find="[.[] | select(.user.login == \"github-actions[bot]\") | select(.body | startswith(\"$mark\"))][0].id // empty"
if ! found=$(gh api --paginate "$repository/issues/$pull_request/comments?per_page=100" --jq "$find"); then
    say 'cannot read the comments: the job needs the permission pull-requests: write'
    exit 0
fi
id=${found%%$'\n'*}
if [[ $id =~ ^[0-9]+$ ]]; then
    request=(--method PATCH "$repository/issues/comments/$id")
else
    request=(--method POST "$repository/issues/$pull_request/comments")
fi
gh api --silent "${request[@]}" --field "body=@$body" ||
    say 'cannot write the comment: the job needs the permission pull-requests: write'
