/* What a cell says: a number or a word. */
#define _GNU_SOURCE /* strtod_l */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/data/csv_impl.h"

/* The parts of a decimal number: digits · 10^exponent, as long as the digits fit. */
typedef struct decimal {
    uint64_t digits;
    int count; /* significant digits in `digits` */
    int exponent;
    bool negative;
} decimal;

/* More zeros than a line may have; an int holds twice that. */
enum { FAR = 1 << 29 };

/* Digits up to the first other byte; returns whether there were any. */
static int take_digits(const char **at, decimal *number, bool after_point)
{
    int taken = 0;
    for (; **at >= '0' && **at <= '9'; ++*at, taken = 1) {
        if (number->count < 19) number->digits = number->digits * 10 + (uint64_t)(**at - '0');
        if (number->digits && number->count < 100) number->count++;
        if (after_point && number->exponent > -FAR) number->exponent--;
    }
    return taken;
}

/* "e-12"; exponents beyond some hundred million stay there: no line has digits enough to bring them back. */
static bool take_exponent(const char **at, decimal *number)
{
    int value = 0;
    if (**at != 'e' && **at != 'E') return true;
    ++*at;
    const bool negative = **at == '-';
    if (**at == '-' || **at == '+') ++*at;
    if (**at < '0' || **at > '9') return false;
    for (; **at >= '0' && **at <= '9'; ++*at)
        if (value < FAR / 10) value = value * 10 + (**at - '0');
    number->exponent += negative ? -value : value;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits] and nothing else. */
static bool is_decimal(const char *at, decimal *number)
{
    number->negative = *at == '-';
    if (*at == '-' || *at == '+') at++;
    int taken = take_digits(&at, number, false);
    if (*at == '.') {
        at++;
        taken += take_digits(&at, number, true);
    }
    return taken && take_exponent(&at, number) && !*at;
}

static bool is_not_finite(const char *text)
{
    if (*text == '-' || *text == '+') text++;
    return !strcasecmp(text, "nan") || !strcasecmp(text, "inf") || !strcasecmp(text, "infinity");
}

tonnx__cell_kind tonnx__read_number(const char *text, locale_t c_locale, double *value)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    decimal number = { 0 };
    if (!*text) return TONNX__CELL_EMPTY;
    if (!is_decimal(text, &number)) return is_not_finite(text) ? TONNX__CELL_NOT_FINITE : TONNX__CELL_TEXT;
    if (number.count <= 15 && abs(number.exponent) <= 22) {
        /* Both factors are exact doubles, so one rounding gives the nearest (Clinger, PLDI 1990). */
        const double digits = (double)number.digits, power = powers[abs(number.exponent)];
        *value = number.exponent < 0 ? digits / power : digits * power;
        if (number.negative) *value = -*value;
    } else {
        *value = strtod_l(text, NULL, c_locale);
    }
    return TONNX__CELL_NUMBER;
}

enum { SLOTS = 2 * TONNX__MAX_WORDS };

/* FNV-1a */
static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 16777619u;
    return h ^ h >> 16;
}

/* The slot where `text` is or would be; one is always free. */
static uint32_t *slot_of(const tonnx__words *words, const char *text)
{
    size_t at = hash(text) % SLOTS;
    while (words->slots[at] && strcmp(words->text[words->slots[at] - 1], text)) at = (at + 1) % SLOTS;
    return &words->slots[at];
}

bool tonnx__words_find(const tonnx__words *words, const char *text, size_t *index)
{
    const uint32_t *slot = words->slots ? slot_of(words, text) : NULL;
    if (!slot || !*slot) return false;
    *index = *slot - 1;
    return true;
}

tonnx_status tonnx__words_add(tonnx__words *words, const char *text, size_t *index)
{
    *index = TONNX__MAX_WORDS;
    tonnx_status status = words->slots ? TONNX_OK : tonnx__alloc(&words->slots, SLOTS, sizeof *words->slots);
    if (status || tonnx__words_find(words, text, index) || words->count == TONNX__MAX_WORDS) return status;
    status = tonnx__grow(&words->text, &words->room, words->count + 1, sizeof *words->text);
    if (!status) status = tonnx__strdup(&words->text[words->count], text);
    if (status) return status;
    *index = words->count++;
    *slot_of(words, text) = (uint32_t)*index + 1;
    return TONNX_OK;
}

/* A word and the number it had. */
typedef struct numbered {
    char *text;
    size_t number;
} numbered;

static int compare_words(const void *a, const void *b)
{
    return strcmp(((const numbered *)a)->text, ((const numbered *)b)->text);
}

tonnx_status tonnx__words_sort(tonnx__words *words, size_t **places)
{
    numbered *sorted = NULL;
    *places = NULL;
    tonnx_status status = tonnx__alloc(&sorted, words->count, sizeof *sorted);
    if (!status) status = tonnx__alloc(places, words->count, sizeof **places);
    if (status) goto out;
    for (size_t i = 0; i < words->count; i++) sorted[i] = (numbered){ words->text[i], i };
    qsort(sorted, words->count, sizeof *sorted, compare_words);
    for (size_t i = 0; i < words->count; i++) {
        words->text[i] = sorted[i].text;
        (*places)[sorted[i].number] = i;
    }
    tonnx__free(words->slots); /* they held the old numbers */
    words->slots = NULL;
out:
    tonnx__free(sorted);
    return status;
}

void tonnx__words_clear(tonnx__words *words)
{
    for (size_t i = 0; i < words->count; i++) tonnx__free(words->text[i]);
    tonnx__free(words->text);
    tonnx__free(words->slots);
    *words = (tonnx__words){ 0 };
}
