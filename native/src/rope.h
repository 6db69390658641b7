/* Cosines and sines of rotary positions, the same bits on every machine: double arithmetic of our own, no libm. */
#ifndef EDGE_ROPE_H
#define EDGE_ROPE_H

#include <stdint.h>

/* Angles up to this many radians are reduced exactly enough for the error below. */
#define EDGE_ROPE_MAX_ANGLE 0x1p29

/* base^exponent for base > 0 (normal), |exponent| <= 1, result within the normal range. Relative error below 1e-15. */
double edge_pow(double base, double exponent);

/* Sine and cosine of 0 <= angle <= EDGE_ROPE_MAX_ANGLE. Absolute error below 1e-15. */
void edge_sincos(double angle, double *sine, double *cosine);

/* One position: cosines[i], sines[i] = magnitude * cos, sin(position * frequencies[i]), i < num_pairs. */
void edge_rope_row(float *cosines, float *sines, const double *frequencies, int32_t num_pairs, float magnitude,
                   int32_t position);

#endif
