#!/usr/bin/env bash
# Builds the C library in one way and runs its tests: scripts/test_native.sh MODE...
#   gcc, clang        this CPU's levels, warnings are errors
#   simulate-gcc, simulate-clang   the AVX-VNNI kernels without their instruction and the AVX-512 kernels over SIMDe, on any
#                     x86-64 CPU with AVX2
#   x86               the level chosen, and its kernels, as a CPU without SSE4.1, without AVX, without AVX-512 (qemu-user)
#   aarch64           cross builds, run by qemu-user as a Cortex-A72, as a Cortex-A76 and as the newest core
#   posix             the fallback without Linux system calls
#   asan-gcc, asan-clang, tsan-gcc, tsan-clang
#   fuzz              every libFuzzer target, EDGE_FUZZ_RUNS inputs (20000 if not set)
# EDGE_TEST_PERCENT is the share of random cases that run; emulated and sanitised runs set it themselves if it is not set.
# EDGE_BUILD_ROOT (build/native) is where the builds go.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${EDGE_BUILD_ROOT:-build/native}
jobs=$(nproc)
debuggable=(-DCMAKE_BUILD_TYPE=Sanitize -DCMAKE_C_FLAGS_SANITIZE=-O1) # asserts stay; -O3 takes minutes to instrument

configure_and_build() { # NAME CMAKE_ARGUMENTS...
  local dir=$root/$1
  shift
  cmake -S native -B "$dir" -G Ninja -DEDGE_WERROR=ON "$@" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; return 1; }
  ninja -C "$dir" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; return 1; }
}

run_tests() { # NAME [REGEX]: every test, or those that it matches, and there must be some
  ctest --test-dir "$root/$1" --output-on-failure --no-tests=error -j "$jobs" -R "${2:-.}"
}

test_with() { # NAME CMAKE_ARGUMENTS...
  configure_and_build "$@" -DEDGE_BUILD_TESTS=ON
  run_tests "$1"
}

few_cases() { export EDGE_TEST_PERCENT=${EDGE_TEST_PERCENT:-$1}; }

sanitized() { # NAME COMPILER SANITIZERS
  few_cases 10
  test_with "$1" -DCMAKE_C_COMPILER="$2" -DEDGE_SANITIZE="$3" "${debuggable[@]}"
}

x86() {
  few_cases 1
  configure_and_build gcc -DCMAKE_C_COMPILER=gcc -DEDGE_BUILD_TESTS=ON
  local test
  for test in cpu kernels_matmul kernels_elementwise kernels_attend; do
    QEMU_CPU=Conroe EDGE_EXPECT_ISA=scalar qemu-x86_64 "$root/gcc/tests/test_$test"
    QEMU_CPU=Nehalem EDGE_EXPECT_ISA=sse41 qemu-x86_64 "$root/gcc/tests/test_$test"
    QEMU_CPU=Haswell EDGE_EXPECT_ISA=avx2 qemu-x86_64 "$root/gcc/tests/test_$test"
  done
}

aarch64() {
  few_cases 5
  local toolchain=$PWD/native/toolchains/aarch64.cmake
  configure_and_build aarch64 -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DEDGE_BUILD_TESTS=ON
  QEMU_CPU=cortex-a72 EDGE_EXPECT_ISA=neon run_tests aarch64
  QEMU_CPU=cortex-a76 EDGE_EXPECT_ISA=dotprod run_tests aarch64 '^test_(cpu|kernels)' # all else as on the A72
  QEMU_CPU=max EDGE_EXPECT_ISA=i8mm run_tests aarch64 '^test_(cpu|kernels)'
  configure_and_build aarch64-clang -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DCMAKE_C_COMPILER=clang \
    -DCMAKE_C_COMPILER_TARGET=aarch64-linux-gnu -DEDGE_BUILD_TESTS=ON
  QEMU_CPU=max run_tests aarch64-clang
}

fuzz() {
  configure_and_build fuzz -DCMAKE_C_COMPILER=clang -DEDGE_SANITIZE=address,undefined -DEDGE_BUILD_FUZZERS=ON \
    "${debuggable[@]}"
  local targets=() target
  mapfile -t targets < <(find "$root/fuzz/fuzz" -maxdepth 1 -type f -name 'fuzz_*' -executable | sort)
  [ ${#targets[@]} -gt 0 ] || { echo "no fuzz target was built" >&2; return 1; }
  for target in "${targets[@]}"; do
    echo "fuzzing $(basename "$target")"
    mkdir -p "$target.corpus"
    "$target" -runs="${EDGE_FUZZ_RUNS:-20000}" -max_total_time="${EDGE_FUZZ_SECONDS:-0}" -timeout=10 \
      -artifact_prefix="$target.failure-" -print_final_stats=1 "$target.corpus" >"$target.log" 2>&1 ||
      { tail -n 60 "$target.log" >&2; return 1; }
    grep 'stat::number_of_executed_units' "$target.log"
  done
}

run_mode() {
  case $1 in
    gcc | clang) test_with "$1" -DCMAKE_C_COMPILER="$1" ;;
    simulate-gcc | simulate-clang)
      test_with "$1" -DCMAKE_C_COMPILER="${1#simulate-}" -DEDGE_SIMULATE_AVXVNNI=ON -DEDGE_SIMULATE_AVX512=ON
      ;;
    x86) x86 ;;
    aarch64) aarch64 ;;
    posix)
      configure_and_build posix -DEDGE_FORCE_POSIX=ON -DEDGE_BUILD_TESTS=ON
      run_tests posix '^(no_fma|test_([^k]|kv))' # kernels make no system calls: they are those of the gcc mode
      ;;
    asan-gcc | asan-clang) sanitized "$1" "${1#asan-}" address,undefined ;;
    tsan-gcc | tsan-clang) sanitized "$1" "${1#tsan-}" thread ;;
    fuzz) fuzz ;;
    *) echo "no mode is called $1; the head of $0 lists them" >&2; return 2 ;;
  esac
}

[ $# -gt 0 ] || { sed -n '2,/^set/s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$root"
for mode in "$@"; do
  (run_mode "$mode") # a subshell: the share of cases that one mode sets is not the next one's
done
