/* An axis: from numbers to places in a picture, and the round numbers that are written beside it. */
#ifndef TONNX_CLI_REPORT_AXIS_H
#define TONNX_CLI_REPORT_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { AXIS_TICKS = 12, AXIS_LABEL = 24 };

typedef enum axis_kind {
    AXIS_LINEAR,
    AXIS_LOG,   /* numbers above 0 */
    AXIS_SYMLOG /* asinh(x/unit): linear within ±unit, logarithmic beyond on both sides */
} axis_kind;

typedef struct axis {
    axis_kind kind;
    double low, high, unit;
    double at, length; /* where `low` is, and from there to `high`; negative where it grows upwards */
} axis;

/* The axis that shows all of low…high between two places, its ends moved outwards to round numbers. Log: to powers of
 * ten where there is more than one between, at most 36 of them. A range that is empty or not finite is made one. */
axis axis_fit(axis_kind kind, double low, double high, double at, double length);

/* A symmetric one, −extent…extent, whose inner ±unit is linear. */
axis axis_symlog(double extent, double unit, double at, double length);

/* The place of a number, held within the axis. */
double axis_place(const axis *axis, double value);

/* Round numbers along the axis, at most `most` ≤ AXIS_TICKS; returns how many. */
size_t axis_ticks(const axis *axis, size_t most, double *ticks);

/* A number along the axis, "0.25", "1e-7", "20k", into `text` of AXIS_LABEL bytes. */
const char *axis_label(const axis *axis, double value, char *text);

#endif
