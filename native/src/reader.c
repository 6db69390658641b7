/* Direct reads, and buffered ones where those are refused. */
#include "reader.h"

int edge_reader_open(edge_reader *reader, int32_t descriptor, int buffered) {
    reader->direct = -1;
    reader->plain = edge_os_duplicate(descriptor);
    if (reader->plain < 0) {
        return 0;
    }
    if (!buffered) {
        reader->direct = edge_os_reopen_direct(descriptor);
    }
    atomic_store_explicit(&reader->buffered, reader->direct < 0, memory_order_relaxed);
    return 1;
}

void edge_reader_close(edge_reader *reader) {
    edge_os_close(reader->direct);
    edge_os_close(reader->plain);
    reader->direct = reader->plain = -1;
}

/* Fills memory from `offset` on: all multiples of EDGE_READ_ALIGNMENT; the first `needed` bytes must be there. 0, or as
 * edge_reader_fill. */
static int32_t read_piece(edge_reader *reader, uint8_t *memory, uint64_t offset, uint64_t bytes, uint64_t needed,
                          uint64_t *place) {
    uint64_t done = 0;
    while (done < needed) {
        int buffered = atomic_load_explicit(&reader->buffered, memory_order_relaxed);
        int64_t count =
            edge_os_read(buffered ? reader->plain : reader->direct, memory + done, bytes - done, offset + done);
        *place = offset + done;
        if (count == EDGE_OS_READ_REFUSED && !buffered) {
            /* The file could be opened so, but not read: from now on as files are read by everyone. */
            atomic_store_explicit(&reader->buffered, 1, memory_order_relaxed);
            continue;
        }
        if (count < 0) {
            return count == EDGE_OS_READ_REFUSED || count < INT32_MIN + 1 ? INT32_MAX : (int32_t)-count;
        }
        uint64_t end = done + (uint64_t)count;
        *place = offset + end; /* should the file end there */
        if (!buffered && end < needed) {
            end = edge_read_begin(end); /* a direct read goes on at a block */
        }
        if (end <= done) {
            return EDGE_READ_ENDED;
        }
        done = end;
        if (buffered) {
            edge_os_drop_pages(reader->plain, offset, done);
        }
    }
    return 0;
}

int32_t edge_reader_piece(edge_reader *reader, uint8_t *memory, uint64_t offset, uint64_t bytes, uint64_t at,
                          uint64_t *place) {
    const uint64_t begin = edge_read_begin(offset), left = edge_read_bytes(offset, bytes);
    if (at >= left) {
        return 0;
    }
    const uint64_t size = left - at < EDGE_READ_PIECE ? left - at : EDGE_READ_PIECE;
    const uint64_t needed = offset + bytes - begin - at;
    return read_piece(reader, memory + at, begin + at, size, needed < size ? needed : size, place);
}

typedef struct fill {
    edge_reader *reader;
    uint8_t *memory;
    uint64_t offset, bytes;
    _Atomic uint64_t next;
    _Atomic uint64_t place;
    _Atomic int32_t failure;
} fill;

static void read_pieces(void *context, int32_t index, int32_t count) {
    fill *job = context;
    (void)index;
    (void)count;
    while (!atomic_load(&job->failure)) {
        uint64_t at = atomic_fetch_add(&job->next, EDGE_READ_PIECE), place = 0;
        if (at >= edge_read_bytes(job->offset, job->bytes)) {
            return;
        }
        int32_t failure = edge_reader_piece(job->reader, job->memory, job->offset, job->bytes, at, &place);
        int32_t none = 0; /* the first failure is the one that is told */
        if (failure != 0 && atomic_compare_exchange_strong(&job->failure, &none, failure)) {
            atomic_store(&job->place, place);
        }
    }
}

int32_t edge_reader_fill(edge_reader *reader, edge_threads *threads, uint8_t *memory, uint64_t offset, uint64_t bytes,
                         uint64_t *place) {
    fill job = {.reader = reader, .memory = memory, .offset = offset, .bytes = bytes};
    if (threads) {
        edge_threads_run(threads, read_pieces, &job);
    } else {
        read_pieces(&job, 0, 1);
    }
    *place = atomic_load(&job.place);
    return atomic_load(&job.failure);
}
