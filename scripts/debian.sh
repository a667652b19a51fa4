# Sourced by scripts that need Debian packages; each defines `missing`, which prints the names of those that are not there.

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

# Install what is missing, if we may; "$1" is who needs it.
install_missing() {
    packages=$(missing | xargs)
    if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $packages from Debian (the first time takes a minute)"
        apt-get update -qq >/dev/null || true
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null || true
        packages=$(missing | xargs)
    fi
    [ -z "$packages" ] ||
        fail "$1 need these Debian packages: $packages. Install them as root, and run the same command again."
}
