/* The pieces of a plain record for processors with AVX2: where cells end, and a number of up to 16 bytes in one go. What
 * they give is what csv_plain.c's own give. */
#ifndef TONNX_FORMAT_DATA_CSV_VECTOR_IMPL_H
#define TONNX_FORMAT_DATA_CSV_VECTOR_IMPL_H

#if defined(__x86_64__) && defined(__GNUC__)
#define TONNX__CSV_VECTORS
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define TONNX__AVX2 __attribute__((target("avx2,bmi,bmi2")))

static inline bool tonnx__avx2_runs(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

/* A bit per byte of 32: set where it is one of two. */
static inline TONNX__AVX2 uint64_t tonnx__either_avx2(const unsigned char *at, __m256i a, __m256i b)
{
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
    return (unsigned)_mm256_movemask_epi8(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, a), _mm256_cmpeq_epi8(bytes, b)));
}

static inline TONNX__AVX2 uint64_t tonnx__find_stops_avx2(const unsigned char *at, unsigned char byte)
{
    const __m256i delimiter = _mm256_set1_epi8((char)byte), line_feed = _mm256_set1_epi8('\n');
    return tonnx__either_avx2(at, delimiter, line_feed) | tonnx__either_avx2(at + 32, delimiter, line_feed) << 32;
}

/* The number that 16 digits make: pairs, then fours, then eights, then all. */
static inline TONNX__AVX2 uint64_t tonnx__sixteen_digits_avx2(__m128i digits)
{
    const __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 + (1 << 8)));
    const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 + (1 << 16)));
    const __m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(10000 + (1 << 16)));
    const uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    return (both & 0xffffffffu) * 100000000 + (both >> 32);
}

/* `length` bytes, 1 to 16: digits, and perhaps a point between two of them. *fraction says how many stand behind it. They are
 * moved to the end of 16 bytes, those behind the point by one less. False where it is not that. */
static inline TONNX__AVX2 bool tonnx__take_fixed_avx2(const unsigned char *at, int length, uint64_t *number, int *fraction)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at), nine = _mm_set1_epi8(9);
    const unsigned points = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
    const int point = __builtin_ctz(points | 1u << length), count = length - (point < length);
    const __m128i order = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i place = _mm_sub_epi8(order, _mm_set1_epi8((char)(16 - count)));
    const __m128i from = _mm_sub_epi8(place, _mm_cmpgt_epi8(place, _mm_set1_epi8((char)(point - 1))));
    const __m128i digits = _mm_shuffle_epi8(_mm_sub_epi8(bytes, _mm_set1_epi8('0')), from);
    const int good = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(digits, nine), nine));
    *number = tonnx__sixteen_digits_avx2(digits);
    *fraction = count - point;
    return good == 0xffff && point > 0 && point != length - 1;
}
#endif

#endif
