/* Large reads of a file at any place, past the page cache where that works; several at a time. */
#ifndef EDGE_READER_H
#define EDGE_READER_H

#include <stdatomic.h>
#include <stdint.h>

#include "edge/threads.h"
#include "os.h"

#define EDGE_READ_PIECE (1u << 20) /* bytes of one read: a few of a disk's largest requests */
#define EDGE_READ_ENDED (-1)       /* the file ends before what was to be read */

typedef struct edge_reader {
    int32_t plain, direct;    /* descriptors; direct -1: refused */
    _Atomic int32_t buffered; /* reads go through the page cache, and what they leave there is dropped */
} edge_reader;

/* The descriptor may be closed afterwards. buffered: direct reads are not even tried. 0: no descriptor is left. */
int edge_reader_open(edge_reader *reader, int32_t descriptor, int buffered);

/* Of a zeroed reader or an open one. */
void edge_reader_close(edge_reader *reader);

/* Reads [offset, offset + bytes) and what shares blocks with it, to memory where the first of these blocks begins, at a
 * multiple of EDGE_READ_ALIGNMENT. Every thread of the pool reads (NULL: the caller alone).
 * 0, or EDGE_READ_ENDED or the system's error number, and *place is where in the file. */
int32_t edge_reader_fill(edge_reader *reader, edge_threads *threads, uint8_t *memory, uint64_t offset, uint64_t bytes,
                         uint64_t *place);

/* Of the same stretch, what begins `at` bytes, a multiple of EDGE_READ_PIECE, behind its first block, and is no longer
 * than that. Any threads may read pieces at a time. As edge_reader_fill; 0, too, where nothing is left. */
int32_t edge_reader_piece(edge_reader *reader, uint8_t *memory, uint64_t offset, uint64_t bytes, uint64_t at,
                          uint64_t *place);

/* The aligned stretch around [offset, offset + bytes): where it begins, and its bytes. */
static inline uint64_t edge_read_begin(uint64_t offset) {
    return offset / EDGE_READ_ALIGNMENT * EDGE_READ_ALIGNMENT;
}

static inline uint64_t edge_read_bytes(uint64_t offset, uint64_t bytes) {
    return edge_read_begin(offset + bytes + EDGE_READ_ALIGNMENT - 1) - edge_read_begin(offset);
}

/* The first place in memory that is aligned for reads; there must be EDGE_READ_ALIGNMENT bytes more than needed. */
static inline uint8_t *edge_read_aligned(uint8_t *memory) {
    return memory + (EDGE_READ_ALIGNMENT - (uintptr_t)memory % EDGE_READ_ALIGNMENT) % EDGE_READ_ALIGNMENT;
}

#endif
