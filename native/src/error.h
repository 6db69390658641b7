/* Writing an edge_error: every refusal says which rule was broken, with the value and the limit. */
#ifndef EDGE_ERROR_H
#define EDGE_ERROR_H

#include <stdarg.h>
#include <stdio.h>

#include "edge/status.h"

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static inline edge_status edge_fail(edge_error *error, edge_status status, const char *format, ...) {
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(error->message, sizeof(error->message), format, arguments);
        va_end(arguments);
    }
    return status;
}

#endif
