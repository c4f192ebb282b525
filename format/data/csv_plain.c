/* The fast way through a table: a whole record of plain numbers, straight from the source's buffer. Whatever is not
 * plain (quotes, blanks, words, empty cells, numbers that need more than one rounding) is left to the slow way, which
 * also has all the messages, so nothing fails here.
 *
 * Where cells end is found first, 64 bytes at a time, so that no cell waits for the one before it to be understood (Langdale
 * and Lemire, "Parsing gigabytes of JSON per second", 2019). Digits are read eight at a time in a 64-bit word (Lemire, "Number
 * parsing at a gigabyte per second", 2021, has the history): a byte that is no digit is found by carries, the word is shifted
 * so that what remains are leading zeros, and three multiplications add neighbours up. */
#include <float.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "format/data/csv_impl.h"
#include "format/data/csv_vector_impl.h"

/* Eight bytes, the first one lowest, whichever way this machine stores words. */
static inline uint64_t load(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(word) : word;
}

#define ZEROS 0x3030303030303030u

/* The highest bits of the bytes of a word ^ ZEROS that are no digits: a byte above 9 carries into its own. A carry that runs
 * on only spoils the bytes behind it. */
static inline uint64_t others(uint64_t word)
{
    return ((word + 0x7676767676767676u) | word) & 0x8080808080808080u;
}

/* How many digits a word ^ ZEROS begins with. */
static inline int count_digits(uint64_t word)
{
    return (others(word) ? __builtin_ctzll(others(word)) : 64) / 8;
}

/* The number that eight digits make, the first one lowest in the word: pairs, then fours, then all. */
static inline uint64_t eight_digits(uint64_t word)
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

static const uint64_t tens[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };

/* The first `count` bytes of a word, 0 to 8, behind leading zeros. Two shifts, as none may be by 64. */
static inline uint64_t first_bytes(uint64_t word, int count)
{
    const int half = 4 * (8 - count);
    return word << half << half;
}

/* Appends the first `count` of a word's bytes, 0 to 8 digits. */
static inline run append(run r, uint64_t word, int count)
{
    return (run){ r.digits * tens[count] + eight_digits(first_bytes(word, count)), r.count + count };
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

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* digits · 10^exponent, rounded once; false where that takes more than this. Where both factors are exact, one
 * multiplication or division rounds right (Clinger, PLDI 1990). Beyond 53 bits, an x87 register's 64 serve as well:
 * that result rounds to the right double unless its last 11 bits say exactly one half. */
static bool scale(uint64_t digits, int exponent, double *value)
{
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

static const double signs[] = { 1.0, -1.0 };

#define INLINE inline __attribute__((always_inline))

/* [-] digits [. digits] [e [+-] digits] with 19 digits at most. Returns where it ends, NULL where it is not that. */
static const unsigned char *take_long_number(const unsigned char *at, double *value)
{
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

/* `length` bytes, 1 to 16: up to 8 digits, or one point behind 1 to 7 digits and up to 15 of them together. It is taken out, and
 * what is left are two words of digits; *fraction says how many stand behind it. False where it is not that. */
static INLINE bool take_fixed(const unsigned char *at, int length, uint64_t *number, int *fraction)
{
    const uint64_t low = load(at) ^ ZEROS, high = load(at + 8) ^ ZEROS;
    const int point = count_digits(low), count = length - 1;
    if (point == length) {
        *number = eight_digits(first_bytes(low, length));
        *fraction = 0;
        return true;
    }
    if (point < 1 || point > 7 || count <= point || at[point] != '.') return false;
    const uint64_t before = ((uint64_t)1 << 8 * point) - 1;
    const int ahead = count < 8 ? count : 8, behind = count - ahead;
    const uint64_t first = first_bytes((low & before) | ((low >> 8 | high << 56) & ~before), ahead);
    const uint64_t second = first_bytes(high >> 8, behind);
    *number = eight_digits(first) * tens[behind] + eight_digits(second);
    *fraction = count - point;
    return !(others(first) | others(second));
}

/* How an instruction set goes about it. */
typedef uint64_t find_fn(const unsigned char *at, unsigned char byte);
typedef bool fixed_fn(const unsigned char *at, int length, uint64_t *number, int *fraction);

/* Up to four digits, as most cells of images are; false where it is not that. */
static INLINE bool take_short(const unsigned char *at, ptrdiff_t length, double *value)
{
    if (length < 1 || length > 4) return false;
    const uint32_t word = ((uint32_t)load(at) ^ (uint32_t)ZEROS) << 8 * (4 - length);
    const uint32_t pairs = word * 10 + (word >> 8);
    *value = (double)(int32_t)((pairs & 0xff00ff) * (1 + (100 << 16)) >> 16);
    return !(((word + 0x76767676u) | word) & 0x80808080u);
}

/* The number from `at` to `end`. */
static INLINE bool take_number(const unsigned char *at, const unsigned char *end, double *value, fixed_fn *fixed)
{
    if (take_short(at, end - at, value)) return true;
    const ptrdiff_t negative = *at == '-', length = end - at - negative;
    uint64_t number = 0;
    int fraction = 0;
    if (length < 1 || length > 16 || !fixed(at + negative, (int)length, &number, &fraction))
        return take_long_number(at, value) == end;
    *value = (double)(int64_t)number / powers[fraction] * signs[negative];
    return true;
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

/* A bit per byte, the first one lowest, of the 64 from `at` on: set where it is `byte` or a line feed. */
static INLINE uint64_t find_stops(const unsigned char *at, unsigned char byte)
{
    uint64_t stops = 0;
#ifdef __SSE2__
    const __m128i delimiter = _mm_set1_epi8((char)byte), line_feed = _mm_set1_epi8('\n');
    for (int i = 0; i < 64; i += 16) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, delimiter), _mm_cmpeq_epi8(bytes, line_feed));
        stops |= (uint64_t)(unsigned)_mm_movemask_epi8(found) << i;
    }
#else
    for (int i = 0; i < 64; i++) stops |= (uint64_t)(at[i] == byte || at[i] == '\n') << i;
#endif
    return stops;
}

/* Where cells end: those of a block of 64 bytes that are still to come. */
typedef struct stops {
    const unsigned char *block, *end; /* the buffer's last bytes end there */
    uint64_t left;
    unsigned char delimiter;
} stops;

/* The next delimiter or line feed; the buffer's end, or behind it, where there is none. */
static INLINE const unsigned char *next_stop(stops *s, find_fn *find)
{
    while (!s->left) {
        s->block += 64;
        if (s->block >= s->end) return s->end;
        s->left = find(s->block, s->delimiter);
    }
    const unsigned char *stop = s->block + __builtin_ctzll(s->left);
    s->left &= s->left - 1;
    return stop;
}

/* The j-th cell, up to `end`. */
static INLINE bool take_cell(const tonnx__csv *csv, const tonnx__plain *to, size_t j, const unsigned char *at,
                             const unsigned char *end, fixed_fn *fixed)
{
    if ((long)j == to->word_column) return take_word(csv, at, to->word) == end;
    return take_number(at, end, &to->numbers[j], fixed);
}

/* A record that ends within the buffer; NULL where it is not plain, or goes on. The NUL behind the buffer's bytes ends
 * every number and word, so that no cell goes past it. */
static INLINE const unsigned char *walk_record(const tonnx__csv *csv, const tonnx__plain *to, find_fn *find, fixed_fn *fixed)
{
    const unsigned char *at = csv->source->bytes + csv->source->at, delimiter = (unsigned char)csv->delimiter;
    stops s = { at, csv->source->bytes + csv->source->end, find(at, delimiter), delimiter };
    const unsigned char *stop = next_stop(&s, find);
    for (size_t j = 0; j + 1 < to->cells; j++, at = stop + 1, stop = next_stop(&s, find))
        if (*stop != delimiter || !take_cell(csv, to, j, at, stop, fixed)) return NULL;
    if (*stop != '\n') return NULL;
    return take_cell(csv, to, to->cells - 1, at, stop - (stop > at && stop[-1] == '\r'), fixed) ? stop + 1 : NULL;
}

#ifdef TONNX__CSV_VECTORS
static TONNX__AVX2 const unsigned char *take_record_avx2(const tonnx__csv *csv, const tonnx__plain *to)
{
    return walk_record(csv, to, tonnx__find_stops_avx2, tonnx__take_fixed_avx2);
}
#endif

static const unsigned char *take_record(const tonnx__csv *csv, const tonnx__plain *to)
{
#ifdef TONNX__CSV_VECTORS
    if (!csv->scalar && tonnx__avx2_runs()) return take_record_avx2(csv, to);
#endif
    return walk_record(csv, to, find_stops, take_fixed);
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
