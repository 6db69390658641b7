/* Memory that packed matrices lie in: a mapped file, or the library's own; and a watch over files that others mapped.
 */
#ifndef EDGE_REGION_H
#define EDGE_REGION_H

#include <stdint.h>

#include "edge/status.h"
#include "edge/threads.h"

/* A file may become shorter while it is mapped. Whoever touches a page that is gone then reads zeros, a step over such
 * weights returns EDGE_FILE_LOST, and edge_region_readable says what is left; the process lives. For that the library
 * handles SIGBUS, from the first mapped or watched region on; faults elsewhere go to the handler that was there before,
 * and a handler that is installed later takes its place. */
typedef struct edge_region edge_region;

/* Maps the first `bytes` of an open file, read-only and shared; the file must have them. The descriptor may be closed
 * afterwards. EDGE_INVALID: bytes is 0. EDGE_NO_MEMORY: it cannot be mapped, or too many files are (1024). */
EDGE_API edge_status edge_region_map(edge_region **out, int32_t descriptor, uint64_t bytes);

/* Zeroed memory for the caller to fill, in huge pages where the system has them. EDGE_INVALID, EDGE_NO_MEMORY. */
EDGE_API edge_status edge_region_allocate(edge_region **out, uint64_t bytes);

/* Memory filled with the file's bytes from `offset` on, in large reads past the page cache; buffered: 1, or where the
 * system refuses that, through it, and the pages are dropped. Every thread reads; threads may be NULL. The descriptor
 * may be closed afterwards. EDGE_INVALID: bytes is 0. EDGE_NO_MEMORY: also when no descriptor is left. EDGE_FILE_LOST:
 * the file ends before, or cannot be read; the message says where. */
EDGE_API edge_status edge_region_load(edge_region **out, int32_t descriptor, uint64_t offset, uint64_t bytes,
                                      int32_t buffered, edge_threads *threads, edge_error *error);

/* 1: a region that was loaded past the page cache. */
EDGE_API int32_t edge_region_is_direct(const edge_region *region);

/* Watches memory that the caller mapped from a file (from a page boundary on) and unmaps after destroy.
 * EDGE_INVALID: bytes is 0, or no page boundary. EDGE_NO_MEMORY: too many files are watched. */
EDGE_API edge_status edge_region_watch(edge_region **out, const void *memory, uint64_t bytes);

/* Unmaps, frees or ends the watch, and nulls. Weights that lie in the region must be destroyed first. NULL is allowed.
 */
EDGE_API void edge_region_destroy(edge_region **region);

EDGE_API void *edge_region_data(const edge_region *region);

/* Bytes from the start on that were there whenever they were needed: all of them, unless the file became shorter. The
 * end of a file disappears without a fault if its page stays, so the last bytes are compared with what they were. */
EDGE_API uint64_t edge_region_readable(const edge_region *region);

#endif
