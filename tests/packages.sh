# The Debian packages that this project needs, and how a missing one is installed. Sourced by
# tests/run and docs/demo: the only place where packages are named.
# shellcheck shell=bash disable=SC2034

# To build. Recording alone needs the first line and libc6-dev only.
packages_build=(
    gcc libc6-dev cmake ninja-build pkg-config python3 libpython3-dev
    libcairo2-dev libpango1.0-dev libpng-dev zlib1g-dev
)

# To draw text: the family that is preferred, and one with more scripts.
packages_draw=(fonts-inter fonts-dejavu-core)

# What docs/demo records.
packages_demo=(python3-flask python3-gevent gunicorn)

# What the tests compare with and run: another implementation, drawing of the same recordings,
# readers of what we draw, a browser, services, and checks of the source itself.
packages_test=(
    git libcmocka-dev libasan8 libubsan1 libchafa-dev
    python3-memory-profiler python3-matplotlib
    python3-celery python3-pytest-xdist python3-eventlet uwsgi-core uwsgi-plugin-python3
    python3-ipython python3-ipykernel python3-jupyter-client
    libxml2-utils poppler-utils librsvg2-bin fonts-noto-cjk
    chromium chromium-driver
    valgrind strace mypy musl-tools
    mandoc clang-format-16
)

# Prints those of the given packages that are not installed.
packages_missing() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$package"
    done
}

# Runs a command as root: directly, or by sudo where that asks for nothing it cannot get.
packages_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        return 1
    fi
}

# Installs what is missing of the given packages; nothing happens, and no network is used, where
# all are there.
packages_install() {
    local missing
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "not a Debian system: what these packages hold is expected to be there: $*" >&2
        return 0
    fi
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "== installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local apt=(apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
    if packages_as_root "${apt[@]}" update </dev/null &&
        packages_as_root "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null
    then
        return 0
    fi
    echo "cannot install packages; as root: apt-get install ${missing[*]}" >&2
    return 1
}
