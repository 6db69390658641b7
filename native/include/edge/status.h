/* Result codes and error messages of the library. */
#ifndef EDGE_STATUS_H
#define EDGE_STATUS_H

#if defined(__GNUC__)
#define EDGE_API __attribute__((visibility("default")))
#else
#define EDGE_API
#endif

/* Values are part of the interface: append only. */
typedef enum edge_status {
    EDGE_OK = 0,
    EDGE_INVALID = 1,     /* an argument, a program or a batch breaks a rule; the message says which */
    EDGE_NO_MEMORY = 2,   /* an allocation failed; nothing was changed */
    EDGE_UNSUPPORTED = 3, /* the CPU lacks the level that was asked for, or the type is not known */
    EDGE_CANCELLED = 4,   /* edge_program_cancel was called during the step */
    EDGE_NONFINITE = 5,   /* the step computed a logit that is not finite */
    EDGE_FILE_LOST = 6    /* a mapped file became shorter: weights in it are zeros where it ended */
} edge_status;

/* Where a call may explain itself. Callers pass NULL when they do not care. */
typedef struct edge_error {
    char message[256];
} edge_error;

#endif
