# The only list of the Debian packages that this project needs, and functions that install missing ones. Sourced
# by tests/run and docs/demo. Names differ between releases: of `one|another` the first that exists is installed;
# an entry with `|` at its end is optional.
# shellcheck shell=bash disable=SC2034

# To build. Without drawing (-DMPROF_DRAW=OFF) the first line is enough.
packages_build=(
    gcc libc6-dev cmake ninja-build pkg-config python3 libpython3-dev libjansson-dev zlib1g-dev libzstd-dev
    libcairo2-dev libpango1.0-dev libpng-dev
)

# To draw text: the preferred family, and one with more scripts.
packages_draw=(fonts-inter fonts-dejavu-core)

# Recorded by docs/demo.
packages_demo=(python3-flask python3-gevent gunicorn)

# For the tests: the other implementation, readers and drawers of recordings, viewers of pictures, browsers,
# services, and checks of the source.
packages_test=(
    git g++ libcmocka-dev 'libasan8|libasan9|libasan6' libubsan1 libchafa-dev
    'python3-memory-profiler|' python3-matplotlib
    python3-cloudpickle python3-dill python3-joblib 'python3-distributed|' 'python3-multiprocess|' 'python3-ipyparallel|'
    python3-celery python3-pytest-xdist 'python3-eventlet|' 'uwsgi-core|' 'uwsgi-plugin-python3|'
    python3-ipython python3-ipykernel python3-jupyter-client python3-nbclient jupyter-nbconvert
    python3-numpy python3-scipy python3-pandas gnuplot-nox python3-sphinx-gallery python3-pil
    jq python3-jsonschema python3-junitparser cmark-gfm python3-prometheus-client
    protobuf-compiler prometheus prometheus-node-exporter # their services are not used
    make meson python3-yaml # docs/ci.md; also cargo, go and npm where they are installed: they are large
    zstd sysstat 'heaptrack|' # compressed recordings; logs of other tools (massif: valgrind)
    openmpi-bin slurmctld slurmd slurm-client munge # their services are not used
    libxml2-utils poppler-utils librsvg2-bin fonts-noto-cjk
    chromium chromium-driver firefox-esr
    valgrind strace mypy musl-tools gnulib bubblewrap 'libfaketime|' clang 'gcc-multilib|'
    zsh fish
    python3-pip python3-venv patchelf dpkg-dev lintian # docs/install.md
    mandoc doxygen 'clang-format-16|' # only this version checks the layout
)

# For tests/cross, in the tree of aarch64: what tests of cli, agent, fault, lines and stacks need.
packages_cross=(
    git g++ make meson jq zstd zsh fish sysstat strace bubblewrap cmark-gfm
    libxml2-utils poppler-utils librsvg2-bin python3-pil
    python3-memory-profiler python3-matplotlib python3-numpy python3-pandas python3-jsonschema python3-junitparser python3-yaml
    python3-prometheus-client protobuf-compiler
    python3-gevent python3-eventlet python3-flask gunicorn uwsgi-core uwsgi-plugin-python3
    python3-cloudpickle python3-dill python3-joblib python3-multiprocess python3-pytest-xdist
    python3-ipython python3-ipykernel python3-jupyter-client python3-nbclient jupyter-nbconvert
)

packages_is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Whether the release can install a package of that name, not only others that mention it.
packages_is_available() {
    local policy
    # no pipe: with pipefail, closing one early would be a failure
    policy=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null) || return 1
    [[ $policy == *"Candidate: "[!\(]* ]]
}

# Prints the given entries of which no package is installed.
packages_missing() {
    local entry package
    for entry in "$@"; do
        for package in ${entry//|/ }; do
            ! packages_is_installed "$package" || continue 2
        done
        printf '%s\n' "$entry"
    done
}

# Prints the package to install for each of the given entries. A missing one is printed, too, so that apt-get
# reports it, unless the entry is optional.
packages_choose() {
    local entry package
    for entry in "$@"; do
        for package in ${entry//|/ }; do
            if packages_is_available "$package"; then
                printf '%s\n' "$package"
                continue 2
            fi
        done
        case $entry in
            *'|') echo "optional packages that this release does not have: ${entry//|/ }" >&2 ;;
            *) printf '%s\n' "${entry%%|*}" ;;
        esac
    done
}

# Runs a command as root: directly, or by sudo if that needs no password or has a terminal to ask for it.
packages_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        return 1
    fi
}

# Installs the missing ones of the given packages; does nothing, without network, if there are none.
packages_install() {
    local missing chosen
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "not a Debian system: install the contents of these packages yourself: $*" >&2
        return 0
    fi
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    export DEBIAN_FRONTEND=noninteractive
    local apt=(apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
    # All missing packages may be optional.
    mapfile -t chosen < <(packages_choose "${missing[@]}" 2>/dev/null)
    [ ${#chosen[@]} -gt 0 ] || return 0
    if packages_as_root "${apt[@]}" update </dev/null; then
        mapfile -t chosen < <(packages_choose "${missing[@]}")
        [ ${#chosen[@]} -gt 0 ] || return 0
        echo "== installing ${chosen[*]}"
        apt+=(install --yes --no-install-recommends --no-remove)
        packages_as_root "${apt[@]}" "${chosen[@]}" </dev/null && return 0
        # An optional one may exclude a package of this machine: gcc-multilib, cross compilers.
        mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -v '|$')
        mapfile -t chosen < <(packages_choose "${missing[@]}")
        [ ${#chosen[@]} -gt 0 ] || return 0
        packages_as_root "${apt[@]}" "${chosen[@]}" </dev/null && return 0
    fi
    echo "cannot install packages; run as root: apt-get install ${chosen[*]}" >&2
    return 1
}
