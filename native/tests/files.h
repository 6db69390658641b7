/* Files for tests of mappings. The including test defines _DEFAULT_SOURCE first: mkstemp, ftruncate, mmap. */
#ifndef EDGE_TEST_FILES_H
#define EDGE_TEST_FILES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* An open file of these bytes that has no name any more. */
static inline int file_of(const void *bytes, size_t size) {
    char name[] = "/tmp/edge-test-XXXXXX";
    int descriptor = mkstemp(name);
    if (descriptor < 0 || unlink(name) != 0 || write(descriptor, bytes, size) != (ssize_t)size) {
        perror("temporary file");
        exit(2);
    }
    return descriptor;
}

static inline void file_cut(int descriptor, size_t size) {
    if (ftruncate(descriptor, (off_t)size) != 0) {
        perror("ftruncate");
        exit(2);
    }
}

#endif
