#include <math.h>
#include <string.h>

#include "runtime/dataset_impl.h"
#include "support.h"

/* n samples of two features (i, −i) with class i % 10 for the first half and 9 for the rest. */
static tonnx_dataset *numbered(size_t n, bool with_classes)
{
    float *x = calloc(2 * n, sizeof *x);
    int32_t *classes = calloc(n, sizeof *classes);
    tonnx_dataset *data = NULL;
    for (size_t i = 0; i < n; i++) {
        x[2 * i] = (float)i;
        x[2 * i + 1] = -(float)i;
        classes[i] = i < n / 2 ? (int32_t)(i % 10) : 9;
    }
    const tonnx_dataset_arrays arrays = { sizeof arrays, n, 2, x, NULL, with_classes ? classes : NULL, NULL, 0 };
    ck_ok(tonnx_dataset_from_arrays(&data, &arrays));
    free(x);
    free(classes);
    return data;
}

START_TEST(arrays_are_copied_and_described)
{
    const unsigned char bytes[6] = { 0, 255, 1, 2, 3, 4 };
    const float targets[6] = { 1, 2, 3, 4, 5, 6 };
    const tonnx_dataset_arrays arrays = { sizeof arrays, 3, 2, NULL, bytes, NULL, targets, 2 };
    tonnx_dataset *data = NULL;
    tonnx_dataset_info info;
    tonnx__feed feed;
    ck_ok(tonnx_dataset_from_arrays(&data, &arrays));
    tonnx_dataset_describe(data, &info);
    ck_assert(info.bytes && info.samples == 3 && info.features == 2 && info.target_width == 2 && info.class_count == 0);
    ck_assert(info.scale == 1.0 / 255.0 && info.target_kind == TONNX_TARGET_NUMBER);
    ck_assert_ptr_null(info.class_names);
    ck_assert_str_eq(info.target_name, "");
    ck_ok(tonnx_dataset_set_scale(data, 0.5));
    ck_fails(tonnx_dataset_set_scale(data, NAN), TONNX_BAD_USAGE, "finite factor");
    ck_fails(tonnx_dataset_set_scale(data, 1e300), TONNX_BAD_USAGE, "finite factor"); /* no float */
    tonnx__dataset_feed(data, &feed);
    ck_assert(feed.scale == 0.5 && feed.x == NULL && feed.x_bytes[1] == 255 && feed.targets[5] == 6 && feed.width == 2);
    ck_assert(feed.x_bytes != bytes && feed.targets != targets);
    tonnx_dataset_free(data);
    tonnx_dataset_free(NULL);
}
END_TEST

static tonnx_status from(size_t samples, const float *x, const int32_t *classes, const float *targets)
{
    const tonnx_dataset_arrays arrays = { sizeof arrays, samples, 1, x, NULL, classes, targets, targets ? 1 : 0 };
    tonnx_dataset *data = (tonnx_dataset *)&arrays; /* must be cleared on failure */
    const tonnx_status status = tonnx_dataset_from_arrays(&data, &arrays);
    if (status) ck_assert_ptr_null(data);
    tonnx_dataset_free(status ? NULL : data);
    return status;
}

START_TEST(bad_arrays_are_refused)
{
    const float good[2] = { 1, 2 }, bad[2] = { 1, NAN }, far[2] = { -INFINITY, 0 };
    const int32_t classes[2] = { 0, 1 }, negative[2] = { 0, -3 }, large[2] = { 0, INT32_MAX };
    ck_ok(from(2, good, classes, NULL));
    ck_fails(from(0, good, NULL, NULL), TONNX_BAD_DATA, "no samples");
    ck_fails(from(2, bad, NULL, NULL), TONNX_BAD_DATA, "sample 2, feature 1");
    ck_fails(from(2, far, NULL, NULL), TONNX_BAD_DATA, "sample 1, feature 1");
    ck_fails(from(2, good, NULL, bad), TONNX_BAD_DATA, "target of sample 2");
    ck_fails(from(2, good, negative, NULL), TONNX_BAD_DATA, "class -3");
    ck_fails(from(2, good, large, NULL), TONNX_BAD_DATA, "class 2147483647");
    ck_fails(from(2, good, classes, good), TONNX_BAD_USAGE, "not both");
    ck_fails(from(2, NULL, classes, NULL), TONNX_BAD_USAGE, "x_bytes");
}
END_TEST

static int count_up(void *user, size_t sample, float *x, float *target)
{
    x[0] = (float)sample;
    x[1] = 1.0f;
    if (target) target[0] = *(float *)user * (float)sample;
    return sample == 7;
}

static tonnx_status from_callback(tonnx_dataset **out, size_t samples, tonnx_target_kind kind, size_t width,
                                  float *factor)
{
    const tonnx_dataset_source source = { sizeof source, samples, 2, kind, width, count_up, factor };
    return tonnx_dataset_from_callback(out, &source);
}

START_TEST(callback_fills_samples_in_order)
{
    float factor = 1.0f;
    tonnx_dataset *data = NULL;
    ck_ok(from_callback(&data, 5, TONNX_TARGET_CLASS, 1, &factor));
    ck_assert(data->classes[4] == 4 && data->class_count == 5 && data->x[8] == 4.0f && !data->targets);
    tonnx_dataset_free(data);
    ck_ok(from_callback(&data, 5, TONNX_TARGET_NONE, 0, &factor));
    ck_assert(data->target_kind == TONNX_TARGET_NONE && data->target_width == 0);
    tonnx_dataset_free(data);
    factor = 0.5f;
    ck_fails(from_callback(&data, 5, TONNX_TARGET_CLASS, 1, &factor), TONNX_BAD_DATA, "sample 2");
    ck_ok(from_callback(&data, 5, TONNX_TARGET_NUMBER, 1, &factor));
    ck_assert(data->targets[3] == 1.5f);
    tonnx_dataset_free(data);
    ck_fails(from_callback(&data, 9, TONNX_TARGET_NUMBER, 1, &factor), TONNX_BAD_DATA, "sample 8");
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(limit_keeps_the_first)
{
    tonnx_dataset *data = numbered(20, true);
    tonnx_dataset_limit(data, 0);
    ck_assert_uint_eq(data->samples, 20);
    tonnx_dataset_limit(data, 50);
    ck_assert_uint_eq(data->samples, 20);
    tonnx_dataset_limit(data, 3);
    ck_assert_uint_eq(data->samples, 3);
    tonnx_dataset_free(data);
}
END_TEST

/* Every sample of 0 … n−1 is on exactly one side, in ascending order on each. */
static void check_sides(const tonnx_dataset *rest, const tonnx_dataset *part, size_t n)
{
    size_t i = 0, j = 0;
    ck_assert_uint_eq(rest->samples + part->samples, n);
    for (size_t at = 0; at < n; at++) {
        const tonnx_dataset *side = i < rest->samples && rest->x[2 * i] == (float)at ? rest : part;
        const size_t k = side == rest ? i++ : j++;
        ck_assert(k < side->samples && side->x[2 * k] == (float)at && side->x[2 * k + 1] == -(float)at);
        if (side->classes) ck_assert_int_eq(side->classes[k], at < n / 2 ? (int)(at % 10) : 9);
    }
}

START_TEST(split_is_stratified_and_keeps_order)
{
    tonnx_dataset *data = numbered(2000, true), *part = NULL;
    size_t counts[10] = { 0 };
    ck_ok(tonnx_dataset_split(&part, data, 0.1, 7));
    check_sides(data, part, 2000);
    for (size_t i = 0; i < part->samples; i++) counts[part->classes[i]]++;
    for (size_t k = 0; k < 9; k++) ck_assert_uint_eq(counts[k], 10);
    ck_assert_uint_eq(counts[9], 110);
    ck_assert_uint_eq(part->class_count, 10);
    tonnx_dataset_free(part);
    tonnx_dataset_free(data);
}
END_TEST

START_TEST(split_depends_on_the_seed_alone)
{
    tonnx_dataset *a = numbered(100, false), *b = numbered(100, false), *c = numbered(100, false);
    tonnx_dataset *pa = NULL, *pb = NULL, *pc = NULL;
    ck_ok(tonnx_dataset_split(&pa, a, 0.25, 1));
    ck_ok(tonnx_dataset_split(&pb, b, 0.25, 1));
    ck_ok(tonnx_dataset_split(&pc, c, 0.25, 2));
    check_sides(a, pa, 100);
    ck_assert_uint_eq(pa->samples, 25);
    ck_assert_mem_eq(pa->x, pb->x, 50 * sizeof(float));
    ck_assert_mem_ne(pa->x, pc->x, 50 * sizeof(float));
    tonnx_dataset *all[] = { a, b, c, pa, pb, pc };
    for (size_t i = 0; i < 6; i++) tonnx_dataset_free(all[i]);
}
END_TEST

START_TEST(split_leaves_neither_side_empty)
{
    tonnx_dataset *part = NULL, *data = numbered(2, false);
    ck_fails(tonnx_dataset_split(&part, data, 1.0, 0), TONNX_BAD_USAGE, "between 0 and 1");
    ck_fails(tonnx_dataset_split(&part, data, NAN, 0), TONNX_BAD_USAGE, "between 0 and 1");
    ck_ok(tonnx_dataset_split(&part, data, 0.01, 0));
    ck_assert(part->samples == 1 && data->samples == 1);
    tonnx_dataset_free(part);
    ck_fails(tonnx_dataset_split(&part, data, 0.5, 0), TONNX_BAD_DATA, "one sample");
    ck_assert_ptr_null(part);
    tonnx_dataset_free(data);
    data = numbered(3, false);
    ck_ok(tonnx_dataset_split(&part, data, 0.999, 0));
    ck_assert(part->samples == 2 && data->samples == 1);
    tonnx_dataset_free(part);
    tonnx_dataset_free(data);
}
END_TEST

START_TEST(split_keeps_names)
{
    tonnx_dataset parts = { .samples = 4, .features = 1, .class_count = 2 }, *data = NULL, *part = NULL;
    const int32_t classes[4] = { 0, 1, 1, 0 };
    ck_ok(tonnx__alloc(&parts.x, 4, sizeof(float)));
    ck_ok(tonnx__alloc(&parts.classes, 4, sizeof(int32_t)));
    ck_ok(tonnx__alloc(&parts.class_names, 2, sizeof(char *)));
    ck_ok(tonnx__alloc(&parts.column_names, 1, sizeof(char *)));
    ck_ok(tonnx__strdup(&parts.class_names[0], "cat"));
    ck_ok(tonnx__strdup(&parts.class_names[1], "dog"));
    ck_ok(tonnx__strdup(&parts.column_names[0], "size"));
    ck_ok(tonnx__strdup(&parts.target_name, "kind"));
    memcpy(parts.classes, classes, sizeof classes);
    ck_ok(tonnx__dataset_take(&data, &parts, "pets.csv"));
    ck_ok(tonnx_dataset_split(&part, data, 0.5, 3));
    tonnx_dataset_info info;
    tonnx_dataset_describe(part, &info);
    ck_assert_str_eq(info.class_names[1], "dog");
    ck_assert_str_eq(info.column_names[0], "size");
    ck_assert_str_eq(info.target_name, "kind");
    tonnx_dataset_free(part);
    tonnx_dataset_free(data);
}
END_TEST

START_TEST(shuffle_is_a_permutation_of_seed_and_epoch)
{
    enum { N = 1000 };
    uint32_t a[N], b[N];
    unsigned char seen[N] = { 0 };
    size_t fixed = 0;
    tonnx__shuffle(a, N, 5, 0);
    tonnx__shuffle(b, N, 5, 0);
    ck_assert_mem_eq(a, b, sizeof a);
    for (size_t i = 0; i < N; i++) {
        ck_assert(a[i] < N && !seen[a[i]]++);
        fixed += a[i] == i;
    }
    ck_assert_uint_lt(fixed, 10); /* a random permutation has one fixed point on average */
    tonnx__shuffle(b, N, 5, 1);
    ck_assert_mem_ne(a, b, sizeof a);
    tonnx__shuffle(b, N, 6, 0);
    ck_assert_mem_ne(a, b, sizeof a);
    tonnx__shuffle(b, 1, 6, 0);
    ck_assert_uint_eq(b[0], 0);
}
END_TEST

/* Each element lands on each place equally often: 12000 shuffles of 4, χ² over 16 cells with 9 degrees of freedom. */
START_TEST(shuffle_is_uniform)
{
    enum { RUNS = 12000 };
    double counts[4][4] = { { 0 } }, chi = 0;
    for (uint64_t epoch = 0; epoch < RUNS; epoch++) {
        uint32_t order[4];
        tonnx__shuffle(order, 4, 1, epoch);
        for (size_t i = 0; i < 4; i++) counts[i][order[i]]++;
    }
    for (size_t i = 0; i < 16; i++) chi += pow(counts[i / 4][i % 4] - RUNS / 4.0, 2) / (RUNS / 4.0);
    ck_assert_msg(chi < 27.9, "chi² = %g", chi); /* p = 0.001 */
}
END_TEST

START_TEST(statistics_survive_a_large_mean)
{
    enum { N = 10000 };
    float *x = calloc(2 * N, sizeof *x);
    double mean[2], std[2], min[2], max[2];
    tonnx_dataset *data = NULL;
    for (size_t i = 0; i < N; i++) {
        x[2 * i] = 1e6f + (float)(i % 2); /* deviation ½ on a mean of a million */
        x[2 * i + 1] = (float)i;
    }
    const tonnx_dataset_arrays arrays = { sizeof arrays, N, 2, x, NULL, NULL, NULL, 0 };
    ck_ok(tonnx_dataset_from_arrays(&data, &arrays));
    tonnx_dataset_mean_std(data, mean, std);
    ck_near(mean[0], 1e6 + 0.5, 0, 1e-14);
    ck_near(std[0], 0.5, 0, 1e-9);
    ck_near(mean[1], (N - 1) / 2.0, 0, 1e-14);
    ck_near(std[1], sqrt((N * (double)N - 1) / 12), 0, 1e-12);
    ck_ok(tonnx_dataset_set_scale(data, -2.0));
    tonnx_dataset_min_max(data, min, max);
    ck_assert(min[1] == -2.0 * (N - 1) && max[1] == 0.0 && max[0] == -2e6);
    tonnx_dataset_free(data);
    free(x);
}
END_TEST

START_TEST(bytes_are_scaled_in_statistics)
{
    const unsigned char bytes[4] = { 0, 255, 255, 0 };
    const tonnx_dataset_arrays arrays = { sizeof arrays, 4, 1, NULL, bytes, NULL, NULL, 0 };
    tonnx_dataset *data = NULL;
    double mean = 0, std = 0, min = 0, max = 0;
    ck_ok(tonnx_dataset_from_arrays(&data, &arrays));
    tonnx_dataset_mean_std(data, &mean, &std);
    tonnx_dataset_min_max(data, &min, &max);
    ck_near(mean, 0.5, 1e-15, 0);
    ck_near(std, 0.5, 1e-15, 0);
    ck_assert(min == 0.0 && max == 1.0);
    tonnx_dataset_free(data);
}
END_TEST

/* Whichever allocation fails, the call fails with TONNX_NO_MEMORY and leaks nothing (the sanitizer sees). */
START_TEST(every_failed_allocation_is_survived)
{
    for (size_t nth = 1;; nth++) {
        tonnx_dataset *data = numbered(10, true), *part = NULL;
        tonnx__mem_fault(nth, false);
        const tonnx_status status = tonnx_dataset_split(&part, data, 0.5, 1);
        tonnx__mem_fault(0, false);
        ck_assert(status == TONNX_OK || status == TONNX_NO_MEMORY);
        ck_assert(!status == !!part);
        ck_assert_uint_eq(data->samples, status ? 10 : 10 - part->samples);
        tonnx_dataset_free(part);
        tonnx_dataset_free(data);
        if (!status) break;
    }
}
END_TEST

static Suite *dataset_suite(void)
{
    Suite *suite = suite_create("dataset");
    TCase *making = tcase_create("making"), *choosing = tcase_create("choosing"), *stats = tcase_create("stats");
    tcase_add_test(making, arrays_are_copied_and_described);
    tcase_add_test(making, bad_arrays_are_refused);
    tcase_add_test(making, callback_fills_samples_in_order);
    tcase_add_test(choosing, limit_keeps_the_first);
    tcase_add_test(choosing, split_is_stratified_and_keeps_order);
    tcase_add_test(choosing, split_depends_on_the_seed_alone);
    tcase_add_test(choosing, split_leaves_neither_side_empty);
    tcase_add_test(choosing, split_keeps_names);
    tcase_add_test(choosing, every_failed_allocation_is_survived);
    tcase_add_test(choosing, shuffle_is_a_permutation_of_seed_and_epoch);
    tcase_add_test(choosing, shuffle_is_uniform);
    tcase_add_test(stats, statistics_survive_a_large_mean);
    tcase_add_test(stats, bytes_are_scaled_in_statistics);
    suite_add_tcase(suite, making);
    suite_add_tcase(suite, choosing);
    suite_add_tcase(suite, stats);
    return suite;
}

int main(void)
{
    return run_suite(dataset_suite());
}
