#!/bin/sh
# compile.sh SOURCE: compiles the op book's headers as GLSL. Without glslc: skipped (77), in CI a failure.
set -eu
if ! command -v glslc >/dev/null; then
    echo "glslc is missing (Debian: apt-get install glslc): the op book's GLSL is not checked"
    if [ "${CI:-}" = true ]; then exit 1; fi
    exit 77
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
glslc --target-env=vulkan1.1 -Werror -I "$1" "$1/tests/glsl/book.comp" -o "$out"
if command -v spirv-val >/dev/null; then spirv-val --target-env vulkan1.1 "$out"; fi
echo "op book: $(wc -c <"$out") bytes of SPIR-V"
