#!/usr/bin/env bash
# The numeric contract forbids fused multiply-add: no such instruction may stand in the library.
# Usage: check_no_fma.sh ARCHIVE [OBJDUMP]
set -euo pipefail
archive=$1 objdump=${2:-objdump}
listing=$("$objdump" -d "$archive")
count=$(grep -cE '^ *[0-9a-f]+:[[:space:]]' <<<"$listing") || { echo "$archive: nothing disassembled" >&2; exit 1; }
if fused=$(grep -E '^[0-9a-f]+ <|\b(vfn?m(add|sub)[0-9a-z]*|fn?m(add|sub)|fml[as]|fmlal2?|fmlsl2?|bfdot|bfmmla)\b' <<<"$listing" |
           grep -B1 -vE '^[0-9a-f]+ <|^--$'); then
  echo "$archive: fused multiply-add:" >&2
  head -n 20 <<<"$fused" >&2
  exit 1
fi
echo "$archive: $count instructions, none fused"
