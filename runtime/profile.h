/* A profile: where the time of training went, instruction by instruction. */
#ifndef TONNX_RUNTIME_PROFILE_H
#define TONNX_RUNTIME_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

TONNX_BEGIN

/* One instruction of one program. Seconds are means over the threads and sums over the calls. */
typedef struct tonnx_profile_row {
    int program;               /* 0: a full batch's step; 1: that of an epoch's short last batch */
    size_t rows, number;       /* the program's batch; the instruction's place in it */
    const char *kind, *result; /* "gemm"; its first output and that one's shape: "h[32,128]" */
    const char *text;          /* the whole of it, as tonnx_trainer_plan prints it */
    uint64_t calls;            /* steps that ran it */
    size_t tiles, meets;       /* pieces that threads share; times they meet before one, where all take part. Of one call */
    double seconds, waited;    /* at work; before that, until the others were done */
    double flops, bytes;       /* of one call: arithmetic where it is a matrix product, else 0; its operands' bytes */
} tonnx_profile_row;

/* Seconds of a whole run, on the caller's thread. What a backend's run takes is `backend`, and all rows together say what
 * was done in it. */
typedef struct tonnx_profile {
    uint64_t steps;
    double order;   /* shuffling */
    double records; /* what varies from step to step: rates, bias corrections */
    double backend; /* steps, from their hand-over to their results */
    double results; /* losses checked, counted and told */
    double between; /* validation, checkpoints (the first is kept before the first step), ends of epochs */
    /* Of `backend`, what the caller's thread did for a device; zeroes where it works itself. */
    const char *pieces, *meets; /* what the rows' tiles and meets are called there */
    uint64_t submits, waits;    /* times that work was handed over; times that the thread waited for it */
    uint64_t reads;             /* results read back, each of which takes one wait */
    double handing, ready;      /* handing over, without waits; once: what the steps need made and sent */
} tonnx_profile;

TONNX_END

#endif
