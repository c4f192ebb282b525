/* Philox against Random123, and what its numbers look like. */
#include "tests/support.h"

#include <Random123/philox.h>

#include "runtime/ops/philox.h"
#include "runtime/rng_impl.h"

/* Known answers of Random123's kat_vectors for philox4x32 with 10 rounds. */
START_TEST(known_answers)
{
    const tonnx_philox zero = tonnx_philox_block((tonnx_philox){ 0, 0, 0, 0 }, 0, 0);
    ck_assert_uint_eq(zero.w0, 0x6627e8d5u);
    ck_assert_uint_eq(zero.w3, 0x9b00dbd8u);
    const tonnx_philox pi = tonnx_philox_block((tonnx_philox){ 0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u },
                                               0xa4093822u, 0x299f31d0u);
    ck_assert_uint_eq(pi.w0, 0xd16cfe09u);
    ck_assert_uint_eq(pi.w3, 0x24126ea1u);
}
END_TEST

START_TEST(words_are_random123s)
{
    for (uint64_t i = 0; i < 2000; i++) {
        const uint64_t seed = i * UINT64_C(0x9E3779B97F4A7C15), stream = i * i << 20, index = i * 0x123456789u;
        const philox4x32_ctr_t counter = { { (uint32_t)(index / 4), (uint32_t)(index / 4 >> 32), (uint32_t)stream,
                                             (uint32_t)(stream >> 32) } };
        const philox4x32_key_t key = { { (uint32_t)seed, (uint32_t)(seed >> 32) } };
        const philox4x32_ctr_t want = philox4x32(counter, key);
        ck_assert_uint_eq(tonnx__rng_word(seed, stream, index), want.v[index % 4]);
    }
}
END_TEST

START_TEST(uniform_is_made_of_two_words)
{
    for (uint64_t i = 0; i < 100; i++) {
        const uint64_t high = tonnx__rng_word(5, 6, 2 * i), low = tonnx__rng_word(5, 6, 2 * i + 1);
        ck_near(tonnx__rng_uniform(5, 6, i), ldexp((double)((high << 32 | low) >> 11), -53), 0, 0);
    }
}
END_TEST

/* Box–Muller of its own two uniforms, by libm: the plain series are exact to rounding. */
START_TEST(normal_is_box_muller)
{
    for (uint64_t i = 0; i < 20000; i++) {
        const double u = 1.0 - tonnx__rng_uniform(9, 2, 2 * i), v = tonnx__rng_uniform(9, 2, 2 * i + 1);
        ck_near(tonnx__rng_normal(9, 2, i), sqrt(-2 * log(u)) * cos(6.283185307179586 * v), 1e-14, 1e-14);
    }
}
END_TEST

/* To the last bit, wherever and however it is compiled: the same seed gives the same weights. */
START_TEST(normals_are_pinned)
{
    static const double first[] = { 0x1.f9442c7133ee5p-2, 0x1.357b3937660a3p+0, -0x1.768ee964e59b8p-2,
                                    0x1.75e2eb07d37e7p-1 };
    double sum = 0;
    for (uint64_t i = 0; i < 4; i++) ck_assert(tonnx__rng_normal(0, TONNX__STREAM_INIT, i) == first[i]);
    for (uint64_t i = 0; i < 4000; i++) sum += tonnx__rng_normal(7, TONNX__STREAM_INIT, i);
    ck_assert(sum == 0x1.dffdca09eac72p+4);
}
END_TEST

/* Mean of f over n numbers. */
static double moment(double (*draw)(uint64_t, uint64_t, uint64_t), int power, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++) sum += pow(draw(1, TONNX__STREAM_INIT, i), power);
    return sum / (double)n;
}

/* Bounds are about four standard errors of 10⁶ draws. */
START_TEST(moments)
{
    const uint64_t n = 1000000;
    ck_near(moment(tonnx__rng_uniform, 1, n), 0.5, 0.0012, 0);
    ck_near(moment(tonnx__rng_uniform, 2, n), 1.0 / 3, 0.0012, 0);
    ck_near(moment(tonnx__rng_normal, 1, n), 0.0, 0.004, 0);
    ck_near(moment(tonnx__rng_normal, 2, n), 1.0, 0.006, 0);
    ck_near(moment(tonnx__rng_normal, 3, n), 0.0, 0.016, 0);
    ck_near(moment(tonnx__rng_normal, 4, n), 3.0, 0.04, 0);
}
END_TEST

START_TEST(uniform_fills_its_interval)
{
    double least = 1, most = 0;
    int bins[10] = { 0 };
    for (uint64_t i = 0; i < 100000; i++) {
        const double u = tonnx__rng_uniform(3, 4, i);
        least = fmin(least, u);
        most = fmax(most, u);
        bins[(int)(u * 10)]++;
    }
    ck_assert(least >= 0 && least < 1e-4 && most < 1 && most > 1 - 1e-4);
    for (int b = 0; b < 10; b++) ck_near((double)bins[b], 10000, 400, 0);
}
END_TEST

START_TEST(seeds_and_streams_differ)
{
    int same = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        same += tonnx__rng_word(0, 0, i) == tonnx__rng_word(1, 0, i);
        same += tonnx__rng_word(0, 0, i) == tonnx__rng_word(0, 1, i);
        same += tonnx__rng_word(0, 0, i) == tonnx__rng_word(UINT64_C(1) << 32, 0, i);
        same += tonnx__rng_word(0, 0, i) == tonnx__rng_word(0, UINT64_C(1) << 32, i);
    }
    ck_assert_int_eq(same, 0);
}
END_TEST

static Suite *rng_suite(void)
{
    Suite *suite = suite_create("rng");
    TCase *cases = tcase_create("philox");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, known_answers);
    tcase_add_test(cases, words_are_random123s);
    tcase_add_test(cases, uniform_is_made_of_two_words);
    tcase_add_test(cases, normal_is_box_muller);
    tcase_add_test(cases, normals_are_pinned);
    tcase_add_test(cases, moments);
    tcase_add_test(cases, uniform_fills_its_interval);
    tcase_add_test(cases, seeds_and_streams_differ);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    return run_suite(rng_suite());
}
