#!/usr/bin/env bash
# Installs llama-cpp-python, the peer that accuracy and speed are compared with: scripts/install_llama.sh PYTHON
# Its default build can crash on CPUs with AMX (a compiler bug), so the instruction sets are named: those of this CPU, without AMX.
set -euo pipefail
python=${1:?usage: scripts/install_llama.sh PYTHON}

works() { "$python" -c 'import llama_cpp; llama_cpp.llama_backend_init()' >/dev/null 2>&1; }
if works; then exit 0; fi

flags="-DGGML_NATIVE=OFF"
if [ "$(uname -m)" = x86_64 ]; then
  cpu=$(grep -m1 '^flags' /proc/cpuinfo || true)
  for pair in avx:AVX avx2:AVX2 fma:FMA f16c:F16C bmi2:BMI2 avx512bw:AVX512 avx512_vnni:AVX512_VNNI avx512vbmi:AVX512_VBMI avx512_bf16:AVX512_BF16 avx_vnni:AVX_VNNI; do
    case " $cpu " in
      *" ${pair%%:*} "*) flags="$flags -DGGML_${pair##*:}=ON" ;;
      *) flags="$flags -DGGML_${pair##*:}=OFF" ;;
    esac
  done
fi
export CMAKE_ARGS="$flags"
echo "building llama-cpp-python with $CMAKE_ARGS"
"$python" -m pip install --quiet "llama-cpp-python>=0.3.16"
if ! works; then # a cached wheel from another CPU
  "$python" -m pip install --quiet --force-reinstall --no-deps --no-cache-dir "llama-cpp-python>=0.3.16"
  works
fi
