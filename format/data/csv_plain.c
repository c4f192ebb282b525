/* The fast way through a table: a whole record of plain numbers, straight from the source's buffer. Whatever is not
 * plain (quotes, blanks, words, empty cells, numbers that need more than one rounding) is left to the slow way, which
 * also has all the messages, so nothing fails here.
 *
 * Digits are read eight at a time in a 64-bit word (Lemire, "Number parsing at a gigabyte per second", 2021, has the
 * history): the first byte that is no digit is found by carries, the word is shifted so that what remains are leading
 * zeros, and three multiplications add neighbours up. */
#include <float.h>
#include <string.h>

#include "format/data/csv_impl.h"

/* Eight bytes, the first one lowest, whichever way this machine stores words. */
static uint64_t load(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(word) : word;
}

#define ZEROS 0x3030303030303030u

/* How many digits a word ^ ZEROS begins with. A byte above 9 carries into its highest bit; a carry that runs on
 * only spoils the bytes behind it. */
static int count_digits(uint64_t word)
{
    const uint64_t others = ((word + 0x7676767676767676u) | word) & 0x8080808080808080u;
    return (others ? __builtin_ctzll(others) : 64) / 8;
}

/* The number that eight digits make, the first one lowest in the word: pairs, then fours, then all. */
static uint64_t eight_digits(uint64_t word)
{
    word = word * 10 + (word >> 8);
    const uint64_t even = (word & 0x000000ff000000ffu) * (100 + ((uint64_t)1000000 << 32));
    const uint64_t odd = (word >> 16 & 0x000000ff000000ffu) * (1 + ((uint64_t)10000 << 32));
    return (even + odd) >> 32;
}

/* Digits one after the other, leading zeros among them: the number that they make, modulo 2^64, and how many they are. */
typedef struct run {
    uint64_t digits;
    int count;
} run;

/* Appends the first `count` of a word's bytes, 0 to 8 digits. Two shifts, as none may be by 64. */
static inline run append(run r, uint64_t word, int count)
{
    static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
    const int others = 4 * (8 - count);
    return (run){ r.digits * powers[count] + eight_digits(word << others << others), r.count + count };
}

/* The digits from `at` on, 32 at most, which few numbers have. */
static run take_long_run(const unsigned char *at, run r)
{
    for (int turn = 0, count = 8; count == 8 && turn < 4; turn++, at += count) {
        const uint64_t word = load(at) ^ ZEROS;
        count = count_digits(word);
        r = append(r, word, count);
    }
    return r;
}

/* The digits before the point. */
static inline run take_whole(const unsigned char *at)
{
    const uint64_t word = load(at) ^ ZEROS;
    const int count = count_digits(word);
    return count < 8 ? append((run){ 0 }, word, count) : take_long_run(at, (run){ 0 });
}

/* The digits behind the point, where lengths vary: fifteen at once, with no branch that a processor would have to guess. */
static inline run take_fraction(const unsigned char *at, run whole)
{
    const uint64_t first = load(at) ^ ZEROS, second = load(at + 8) ^ ZEROS;
    const int ahead = count_digits(first), behind = count_digits(second) & -(ahead == 8);
    return behind < 8 ? append(append(whole, first, ahead), second, behind) : take_long_run(at, whole);
}

/* "e-12" behind the digits, into *exponent; false where it is none, or too long to be plain. */
static bool take_exponent(const unsigned char **at, int *exponent)
{
    const unsigned char *p = *at + 1;
    const bool negative = *p == '-';
    int value = 0, digits = 0;
    if (*p == '-' || *p == '+') p++;
    for (; *p >= '0' && *p <= '9' && digits < 4; p++, digits++) value = value * 10 + (*p - '0');
    *exponent += negative ? -value : value;
    *at = p;
    return digits > 0 && digits < 4;
}

/* digits · 10^exponent, rounded once; false where that takes more than this. Where both factors are exact, one
 * multiplication or division rounds right (Clinger, PLDI 1990). Beyond 53 bits, an x87 register's 64 serve as well:
 * that result rounds to the right double unless its last 11 bits say exactly one half. */
static bool scale(uint64_t digits, int exponent, double *value)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    const int size = exponent < 0 ? -exponent : exponent;
    if (size > 22) return false;
    if (digits <= (uint64_t)1 << 53) {
        *value = exponent < 0 ? (double)(int64_t)digits / powers[size] : (double)(int64_t)digits * powers[size];
        return true;
    }
#if LDBL_MANT_DIG == 64
    const long double wide = exponent < 0 ? (long double)digits / (long double)powers[size]
                                          : (long double)digits * (long double)powers[size];
    uint64_t mantissa;
    memcpy(&mantissa, &wide, sizeof mantissa);
    *value = (double)wide;
    return (mantissa & 0x7ff) != 0x400;
#else
    return false;
#endif
}

/* [-] digits [. digits] [e [+-] digits] with 19 digits at most. Returns where it ends, NULL where it is not that. */
static const unsigned char *take_number(const unsigned char *at, double *value)
{
    static const double signs[] = { 1.0, -1.0 };
    const bool negative = *at == '-';
    int exponent = 0;
    at += negative;
    run number = take_whole(at);
    at += number.count;
    if (!number.count) return NULL;
    if (*at == '.') {
        const int whole = number.count;
        number = take_fraction(++at, number);
        exponent = whole - number.count;
        at -= exponent;
        if (!exponent) return NULL;
    }
    if (number.count > 19 || ((*at | 0x20) == 'e' && !take_exponent(&at, &exponent))) return NULL;
    if (!scale(number.digits, exponent, value)) return NULL;
    *value *= signs[negative];
    return at;
}

/* A bare word without blanks in it, as a string of its own. Returns where it ends, NULL where it is not that. */
static const unsigned char *take_word(const tonnx__csv *csv, const unsigned char *at, char word[TONNX__PLAIN_WORD])
{
    size_t length = 0;
    while (length < TONNX__PLAIN_WORD && !csv->stops[at[length]] && !strchr(" \t\"", at[length])) length++;
    if (!length || length == TONNX__PLAIN_WORD || !csv->stops[at[length]]) return NULL;
    memcpy(word, at, length);
    word[length] = '\0';
    return at + length;
}

/* A record that ends within the buffer; NULL where it is not plain, or goes on. The NUL behind the buffer's bytes ends
 * every number and word, and is neither a delimiter nor a line's end. */
static const unsigned char *take_record(const tonnx__csv *csv, const tonnx__plain *to)
{
    const unsigned char *at = csv->source->bytes + csv->source->at;
    for (size_t j = 0; j < to->cells; j++) {
        if (j && *at++ != (unsigned char)csv->delimiter) return NULL;
        at = (long)j == to->word_column ? take_word(csv, at, to->word) : take_number(at, &to->numbers[j]);
        if (!at) return NULL;
    }
    at += *at == '\r';
    return *at == '\n' ? at + 1 : NULL;
}

/* Whether what is left in the buffer is a piece of a line. */
static bool is_cut(const tonnx__source *source)
{
    const size_t left = source->end - source->at;
    return left < TONNX__SOURCE_ROOM / 2 && !memchr(source->bytes + source->at, '\n', left);
}

size_t tonnx__csv_plain(tonnx__csv *csv, const tonnx__plain *to)
{
    tonnx__source *source = csv->source;
    const unsigned char *end = take_record(csv, to);
    if (!end && is_cut(source) && !csv->ended) {
        csv->status = tonnx__source_top_up(source);
        csv->ended = csv->status != TONNX_OK;
        end = csv->ended ? NULL : take_record(csv, to);
    }
    return end ? (size_t)(end - (source->bytes + source->at)) : 0;
}
