/* The inside of a stream, for stream.c (which reads), the weights that lie in it, and the step (which waits). */
#ifndef EDGE_STREAM_INTERNAL_H
#define EDGE_STREAM_INTERNAL_H

#include "edge/stream.h"
#include "reader.h"

/* Spans are counted over all passes: number n is span n % num_spans, and lies in slot n % num_slots. So the ring never
 * waits where one pass ends and the next begins, whatever the two counts are. Readers take pieces in that order, of the
 * next span before the last piece of this one is there, so that the disk never waits either. */
struct edge_stream {
    edge_reader reader;
    edge_threads *readers; /* of which `thread` is the first */
    const edge_region *file;
    edge_span *spans;
    const uint8_t **places; /* (num_spans,): where a span lies; written by await, for the threads behind its barrier */
    int32_t num_spans, num_slots;
    uint8_t *memory, *ring;
    uint64_t memory_bytes, slot_bytes, span_pieces; /* of the largest; others have empty ones at the end */
    edge_os_thread thread;
    int started;
    _Atomic int32_t taken; /* by a program */

    /* Of thread 0 of the step: the number of span 0 in this pass, and whether the pass has begun. */
    uint64_t pass;
    int passing;

    /* Of the readers: the next piece, and of every slot how many pieces are done, and 1 + the number of the last span
     * that is. */
    _Alignas(EDGE_ALIGNMENT) _Atomic uint64_t next;
    _Atomic uint64_t done[EDGE_MAX_SLOTS], whole[EDGE_MAX_SLOTS];

    /* Numbers below `filled` were read, or are unwanted; those below `released` are no longer needed. Each is written
     * on one side only. The words change whenever somebody should look again: the step at news, readers at orders. */
    _Alignas(EDGE_ALIGNMENT) _Atomic uint64_t filled;
    _Atomic uint32_t news;
    _Atomic int32_t failed;  /* by one reader, who writes what follows */
    _Atomic int32_t failure; /* EDGE_READ_ENDED or an error number; `place` is written before */
    uint64_t place;
    _Alignas(EDGE_ALIGNMENT) _Atomic uint64_t released;
    _Atomic uint32_t orders;
    _Atomic int32_t stop;
};

/* One program at a time may use a stream. 0: another one does. */
int edge_stream_claim(edge_stream *stream);
void edge_stream_unclaim(edge_stream *stream);

/* Thread 0 of a step: sleeps until the span was read and its place is known. EDGE_CANCELLED: *cancel is not 0 and the
 * span is not there yet. EDGE_FILE_LOST: the stream is over. */
edge_status edge_stream_await(edge_stream *stream, int32_t span, const _Atomic int32_t *cancel);

/* Thread 0 of a step, once no thread reads the span any more. */
void edge_stream_release(edge_stream *stream, int32_t span);

/* At the end of a step, also of one that stopped on the way: the next one begins with span 0. */
void edge_stream_end_pass(edge_stream *stream);

/* From any thread: whoever waits looks at *cancel again. */
void edge_stream_nudge(edge_stream *stream);

#endif
