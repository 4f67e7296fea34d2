#!/bin/sh
# Builds hold: `build.sh` makes both executables in prebuilt/, `build.sh x64|arm64 FILE` makes one of them elsewhere.
# The same compiler gives the same bytes; prebuilt/compiler.txt says which one it was. On Debian 12:
#   apt-get install gcc gcc-aarch64-linux-gnu
set -eu
here=$(cd "$(dirname "$0")" && pwd)

build() { # architecture, file
  case $1 in
    x64) compiler=x86_64-linux-gnu-gcc machine="-march=x86-64 -fcf-protection=none" ;;
    arm64) compiler=aarch64-linux-gnu-gcc machine="-march=armv8-a -mbranch-protection=none -mno-outline-atomics" ;;
    *) echo "build.sh: unknown architecture \"$1\"" >&2; exit 2 ;;
  esac
  # No unwind tables, no build id, no compiler's note; one segment, readable and executable but never writable.
  # shellcheck disable=SC2086
  $compiler -std=gnu17 -Wall -Wextra -Werror -Os $machine -mgeneral-regs-only \
    -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns -fno-stack-protector -fno-pie -fno-ident \
    -fno-asynchronous-unwind-tables -fno-unwind-tables -fomit-frame-pointer \
    -nostdlib -static -no-pie -s -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro -Wl,-z,noseparate-code \
    -o "$2" "$here/hold.c"
  chmod 0755 "$2"
}

if [ $# -eq 2 ]; then
  build "$1" "$2"
else
  build x64 "$here/prebuilt/hold-linux-x64"
  build arm64 "$here/prebuilt/hold-linux-arm64"
  x86_64-linux-gnu-gcc --version | head -n 1 > "$here/prebuilt/compiler.txt"
fi
