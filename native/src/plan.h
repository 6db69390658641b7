/* Planning a checked program: which operation quantises for which, and the memory of its steps. */
#ifndef EDGE_PLAN_H
#define EDGE_PLAN_H

#include "program.h"

/* program.c: zeroed memory that lives as long as the program; NULL when there is none. */
void *edge_program_take(edge_program *program, uint64_t bytes);

/* Fills linked, quantize_out, slot and unit of the plans. */
void edge_program_link(edge_program *program);

/* Arena, rotary tables, activations and the threads' own memory. 0 when there is not enough memory. */
int edge_program_reserve(edge_program *program);

#endif
