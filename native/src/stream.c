/* A ring of spans: threads read ahead, a step waits, uses and releases. */
#include "stream.h"

#include <string.h>

#include "kernels.h"
#include "region.h"

#define LAST_BYTE ((uint64_t)1 << 62)

static void change(_Atomic uint32_t *word) {
    atomic_fetch_add(word, 1);
    edge_os_wake_all(word);
}

static uint64_t slot_bytes_of(const edge_span *spans, int32_t num_spans) {
    uint64_t most = 0;
    for (int32_t i = 0; i < num_spans; i++) {
        uint64_t bytes = edge_read_bytes(spans[i].offset, spans[i].bytes + EDGE_OVERREAD);
        most = bytes > most ? bytes : most;
    }
    return most;
}

edge_status edge_stream_sizes(const edge_span *spans, int32_t num_spans, int32_t num_slots, uint64_t *bytes) {
    if (!spans || !bytes || num_spans < 1 || num_spans > EDGE_MAX_SPANS || num_slots < 2 ||
        num_slots > EDGE_MAX_SLOTS) {
        return EDGE_INVALID;
    }
    for (int32_t i = 0; i < num_spans; i++) {
        if (spans[i].bytes < 1 || spans[i].offset > LAST_BYTE || spans[i].bytes > LAST_BYTE - spans[i].offset) {
            return EDGE_INVALID;
        }
    }
    uint64_t slot = slot_bytes_of(spans, num_spans);
    if (slot > LAST_BYTE / EDGE_MAX_SLOTS) {
        return EDGE_INVALID;
    }
    *bytes = (uint64_t)num_slots * slot + EDGE_READ_ALIGNMENT;
    return EDGE_OK;
}

static uint8_t *slot_of(const edge_stream *stream, uint64_t number) {
    return stream->ring + number % (uint64_t)stream->num_slots * stream->slot_bytes;
}

static const edge_span *span_of(const edge_stream *stream, uint64_t number) {
    return &stream->spans[number % (uint64_t)stream->num_spans];
}

/* Sleeps until the slot of a number is free: what it held before is read, and was used. 0: the stream is over. */
static int wait_for_room(edge_stream *stream, uint64_t number) {
    const uint64_t slots = (uint64_t)stream->num_slots;
    for (;;) {
        uint32_t seen = atomic_load(&stream->orders);
        if (atomic_load(&stream->stop) || atomic_load(&stream->failed)) {
            return 0;
        }
        if (number < atomic_load(&stream->filled) + slots && number < atomic_load(&stream->released) + slots) {
            return 1;
        }
        edge_os_wait(&stream->orders, seen);
    }
}

/* Spans are told of in their order, whoever of the readers ends the last piece of which. */
static void finish_piece(edge_stream *stream, uint64_t number) {
    const uint64_t slots = (uint64_t)stream->num_slots;
    if (atomic_fetch_add(&stream->done[number % slots], 1) + 1 < stream->span_pieces) {
        return;
    }
    atomic_store(&stream->done[number % slots], 0);
    atomic_store(&stream->whole[number % slots], number + 1);
    for (;;) {
        uint64_t filled = atomic_load(&stream->filled);
        if (atomic_load(&stream->whole[filled % slots]) != filled + 1) {
            return;
        }
        if (atomic_compare_exchange_strong(&stream->filled, &filled, filled + 1)) {
            change(&stream->news);
            change(&stream->orders);
        }
    }
}

static void fail(edge_stream *stream, int32_t failure, uint64_t place) {
    int32_t nobody = 0;
    if (atomic_compare_exchange_strong(&stream->failed, &nobody, 1)) {
        stream->place = place;
        atomic_store(&stream->failure, failure);
        change(&stream->news);
        change(&stream->orders);
    }
}

/* Every reader, until the stream is over. A step that was cancelled releases the rest of its pass: it is not read. */
static void read_ahead(void *context, int32_t index, int32_t count) {
    edge_stream *stream = context;
    (void)index;
    (void)count;
    for (;;) {
        const uint64_t piece = atomic_fetch_add(&stream->next, 1), number = piece / stream->span_pieces;
        if (!wait_for_room(stream, number)) {
            return;
        }
        if (atomic_load(&stream->released) <= number) {
            const edge_span *span = span_of(stream, number);
            const uint64_t at = piece % stream->span_pieces * EDGE_READ_PIECE;
            uint64_t place = 0;
            int32_t failure =
                edge_reader_piece(&stream->reader, slot_of(stream, number), span->offset, span->bytes, at, &place);
            if (failure != 0) {
                fail(stream, failure, place);
                return;
            }
        }
        finish_piece(stream, number);
    }
}

static void run_readers(void *argument) {
    edge_stream *stream = argument;
    edge_threads_run(stream->readers, read_ahead, stream);
}

static int prepare(edge_stream *stream, int32_t descriptor, const edge_span *spans, int buffered) {
    uint64_t count = (uint64_t)stream->num_spans;
    stream->spans = edge_os_alloc(count * sizeof *stream->spans);
    stream->places = edge_os_alloc(count * sizeof *stream->places);
    stream->memory = edge_os_alloc(stream->memory_bytes);
    if (!stream->spans || !stream->places || !stream->memory ||
        !edge_reader_open(&stream->reader, descriptor, buffered) ||
        edge_threads_create(&stream->readers, EDGE_STREAM_READERS) != EDGE_OK) {
        return 0;
    }
    memcpy(stream->spans, spans, count * sizeof *spans);
    stream->ring = edge_read_aligned(stream->memory);
    stream->started = edge_os_thread_start(&stream->thread, run_readers, stream) == 0;
    return stream->started;
}

edge_status edge_stream_create(edge_stream **out, const edge_region *file, int32_t descriptor, const edge_span *spans,
                               int32_t num_spans, int32_t num_slots, int32_t buffered) {
    uint64_t bytes;
    edge_status status = edge_stream_sizes(spans, num_spans, num_slots, &bytes);
    if (status != EDGE_OK || !file) {
        return EDGE_INVALID;
    }
    for (int32_t i = 0; i < num_spans; i++) {
        if (spans[i].offset + spans[i].bytes > file->bytes) {
            return EDGE_INVALID;
        }
    }
    edge_stream *stream = edge_os_alloc(sizeof *stream);
    if (!stream) {
        return EDGE_NO_MEMORY;
    }
    stream->reader.plain = stream->reader.direct = -1;
    stream->file = file;
    stream->num_spans = num_spans;
    stream->num_slots = num_slots;
    stream->memory_bytes = bytes;
    stream->slot_bytes = slot_bytes_of(spans, num_spans);
    stream->span_pieces = (stream->slot_bytes + EDGE_READ_PIECE - 1) / EDGE_READ_PIECE;
    if (!prepare(stream, descriptor, spans, buffered)) {
        edge_stream_destroy(&stream);
        return EDGE_NO_MEMORY;
    }
    *out = stream;
    return EDGE_OK;
}

void edge_stream_destroy(edge_stream **stream) {
    if (!stream || !*stream) {
        return;
    }
    edge_stream *it = *stream;
    if (it->started) {
        atomic_store(&it->stop, 1);
        change(&it->orders);
        edge_os_thread_join(&it->thread);
    }
    edge_threads_destroy(&it->readers);
    edge_reader_close(&it->reader);
    edge_os_free(it->memory, it->memory_bytes);
    edge_os_free(it->places, (uint64_t)it->num_spans * sizeof *it->places);
    edge_os_free(it->spans, (uint64_t)it->num_spans * sizeof *it->spans);
    edge_os_free(it, sizeof *it);
    *stream = NULL;
}

int32_t edge_stream_is_direct(const edge_stream *stream) {
    return !atomic_load_explicit(&stream->reader.buffered, memory_order_relaxed);
}

int32_t edge_stream_failure(const edge_stream *stream, uint64_t *place) {
    int32_t failure = atomic_load(&stream->failure);
    *place = failure != 0 ? stream->place : 0;
    return failure;
}

int edge_stream_claim(edge_stream *stream) {
    int32_t nobody = 0;
    return atomic_compare_exchange_strong(&stream->taken, &nobody, 1);
}

void edge_stream_unclaim(edge_stream *stream) {
    atomic_store(&stream->taken, 0);
}

edge_status edge_stream_await(edge_stream *stream, int32_t span, const _Atomic int32_t *cancel) {
    uint64_t number = stream->pass + (uint64_t)span;
    for (;;) {
        uint32_t seen = atomic_load(&stream->news);
        if (atomic_load(&stream->failure)) {
            return EDGE_FILE_LOST;
        }
        if (atomic_load(&stream->filled) > number) {
            break;
        }
        if (atomic_load(cancel)) {
            return EDGE_CANCELLED;
        }
        edge_os_wait(&stream->news, seen);
    }
    stream->passing = 1;
    stream->places[span] = slot_of(stream, number) + stream->spans[span].offset % EDGE_READ_ALIGNMENT;
    return EDGE_OK;
}

void edge_stream_release(edge_stream *stream, int32_t span) {
    atomic_store(&stream->released, stream->pass + (uint64_t)span + 1);
    change(&stream->orders);
}

void edge_stream_end_pass(edge_stream *stream) {
    if (!stream->passing) {
        return; /* what was read ahead is what the next step wants */
    }
    stream->passing = 0;
    stream->pass += (uint64_t)stream->num_spans;
    if (atomic_load(&stream->released) != stream->pass) {
        atomic_store(&stream->released, stream->pass);
        change(&stream->orders);
    }
}

void edge_stream_nudge(edge_stream *stream) {
    change(&stream->news);
}
