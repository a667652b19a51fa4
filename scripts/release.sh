#!/bin/sh
# Build what goes to the package index, check it, and test the wheel in an environment of its own. Nothing is uploaded.
set -eu

python=.venv/bin/python

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

[ -z "$(git status --porcelain)" ] ||
    fail "There are changes that are not committed, and they would be released: commit them or take them away, and run \`make release\` again."

version=$("$python" -c 'import notifications; print(notifications.__version__)')
rm -rf dist
echo "== Building $version"
"$python" -m build --no-isolation --outdir dist . >/dev/null # the wheel from the sdist, as an installer would
"$python" -m twine check --strict dist/*
echo "== Testing the wheel"
"$python" -m pytest -m packaging tests/test_packaging.py tests/browser/test_newcomer.py --wheel dist/*.whl

cat <<NEXT

What is left to do by hand:
NEXT
grep -q "^## \[*$version\b" CHANGELOG.md ||
    echo "  - give CHANGELOG.md a section \"## $version\", commit it, and run \`make release\` again"
cat <<NEXT
  - $python -m twine upload dist/*
  - git tag --annotate v$version --message "Carillon $version" && git push origin v$version
  - publish the changelog's section as a release of that tag
NEXT
