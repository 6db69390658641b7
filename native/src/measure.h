/* What the files that measure share. */
#ifndef EDGE_MEASURE_INTERNAL_H
#define EDGE_MEASURE_INTERNAL_H

#include "edge/measure.h"

static inline int edge_measure_seconds_are_good(double seconds) {
    return seconds > 0.0 && seconds <= EDGE_MEASURE_MAX_SECONDS; /* nan is not */
}

#endif
