/* Text for people: aligned tables, numbers with separators, colour where it is wanted. */
#ifndef TONNX_CLI_PRINT_H
#define TONNX_CLI_PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/api.h"

/* Significant digits in JSON: floats have no more than 9, clocks not even so many. */
enum { JSON_FLOAT = 9, JSON_TIME = 6 };

typedef enum print_style { PRINT_PLAIN, PRINT_BOLD, PRINT_DIM, PRINT_RED, PRINT_GREEN, PRINT_YELLOW } print_style;

/* Plain: no colour, no live line, no separators, no glyphs beyond ASCII. */
void print_set_plain(bool plain);
bool print_is_plain(void);

/* True where a stream is a terminal that takes colour and live lines. */
bool print_is_live(FILE *stream);

/* Switches the style of a stream that takes colour; PRINT_PLAIN switches back. */
void print_set_style(FILE *stream, print_style style);

/* Draws a line on stderr that the next one, or any message, takes the place of; nothing where stderr is not live. */
void print_live_line(const char *format, ...) TONNX_PRINTF(1, 2);
void print_live_clear(void);

/* "101,770"; "4.1e-05", "0.0123". Into a ring of buffers: good for a few calls. */
const char *print_count(uint64_t number);
const char *print_number(double number);

/* Counts as a row of block glyphs, tallest 1. Into the same ring. */
const char *print_bars(const uint64_t *counts, size_t count);

/* Up to `length` bytes of text from a file, in which no control character reaches a terminal (each becomes '?'). */
void print_clean(const char *text, size_t length);

/* Words of `text` on stdout, the first at column `indent`, where the cursor stands; lines end before column `width`. */
void print_wrapped(const char *text, size_t indent, size_t width);
enum { PRINT_COLUMNS = 80 }; /* of a terminal */

/* A table filled cell by cell, left to right; the first row is its head. `align` has an 'l' or 'r' per column. */
typedef struct print_table print_table;
print_table *print_table_new(const char *align);
void print_table_cell(print_table *table, const char *format, ...) TONNX_PRINTF(2, 3);
/* Prints and frees. */
void print_table_end(print_table *table, FILE *out);

#endif
