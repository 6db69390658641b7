/* Packed matrices that do not stay in memory: threads read them from their file, one group after the other, again for
 * every step, into a ring of buffers, while the step computes with the group before. */
#ifndef EDGE_STREAM_H
#define EDGE_STREAM_H

#include <stdint.h>

#include "edge/region.h"
#include "edge/status.h"

typedef struct edge_stream edge_stream;

/* A stretch of the file that is read as a whole, the matrices of a layer: bytes from `offset` on. */
typedef struct edge_span {
    uint64_t offset, bytes;
} edge_span;

#define EDGE_MAX_SPANS      4096
#define EDGE_MAX_SLOTS      64
#define EDGE_STREAM_READERS 4 /* threads: a disk gives more with some requests at hand than one after the other */

/* Memory that a stream over these spans takes: num_slots buffers for the largest of them.
 * EDGE_INVALID: no span or too many, an empty one or one that ends beyond 2^62, or not 2 .. EDGE_MAX_SLOTS slots. */
EDGE_API edge_status edge_stream_sizes(const edge_span *spans, int32_t num_spans, int32_t num_slots, uint64_t *bytes);

/* Starts to read: spans in the order in which a step uses them, and from the first again when it used the last.
 * file: the whole file, mapped (its truncation ends steps), which must outlive the stream; descriptor: the same file,
 * which may be closed afterwards. buffered: 1 reads through the page cache and drops its pages; 0 reads past it, and
 * does the same only where the system refuses.
 * EDGE_INVALID: as edge_stream_sizes, or a span leaves the file. EDGE_NO_MEMORY: no memory, thread or descriptor. */
EDGE_API edge_status edge_stream_create(edge_stream **out, const edge_region *file, int32_t descriptor,
                                        const edge_span *spans, int32_t num_spans, int32_t num_slots, int32_t buffered);

/* Ends the threads, frees and nulls. Weights in the stream must be destroyed first. NULL is allowed. */
EDGE_API void edge_stream_destroy(edge_stream **stream);

/* 1: reads go past the page cache. It may turn 0 with the first read. */
EDGE_API int32_t edge_stream_is_direct(const edge_stream *stream);

/* 0: every read succeeded. -1: the file ended at byte *place, which a span has; otherwise the system's error number for
 * a read there. The stream is over then: every step ends with EDGE_FILE_LOST. */
EDGE_API int32_t edge_stream_failure(const edge_stream *stream, uint64_t *place);

#endif
