# Sourced, from the root of the tree: need PACKAGE… installs those of Debian's packages that are missing, as root or by sudo.
need() {
    missing=""
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null | grep -qx installed || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "== installing:$missing"
    root=""
    [ "$(id -u)" -eq 0 ] || root=sudo
    $root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || return 1
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
}

# What it takes to build tonnx, to build its Vulkan backend too, and to build and run the tests.
to_build="cmake ninja-build gcc libc6-dev pkg-config protobuf-c-compiler libprotobuf-c-dev zlib1g-dev libzip-dev
    libjansson-dev"
for_vulkan="glslc libvulkan-dev"
to_test="check librandom123-dev python3"
