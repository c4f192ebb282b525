/* PyTorch's generator: what torch.nn and torch.nn.init drew, bit for bit, also through new models. The numbers are
 * PyTorch's own (tests/data/init/torch.txt says which). */
#include "tests/support.h"

#include <string.h>

#include "runtime/init.h"
#include "runtime/rng_torch_impl.h"

#define FOLDER TONNX_TEST_DATA "/init/"

enum { CASES = 208 };

/* A call of PyTorch as tonnx spells it. */
typedef struct call {
    const char *what, *scheme, *rng, *mode, *nonlinearity;
    double gain;
} call;

static const call calls[] = {
    { "linear-default", "torch-default", "torch", NULL, NULL, NAN },
    { "kaiming-uniform-fresh", "kaiming-uniform", "torch", NULL, NULL, NAN },
    { "kaiming-uniform-after-linear", "kaiming-uniform", "torch-after-default", NULL, NULL, NAN },
    { "kaiming-uniform-leaky", "kaiming-uniform", "torch", NULL, "leaky_relu:0.2", NAN },
    { "xavier-uniform", "xavier-uniform", "torch", NULL, NULL, NAN },
    { "xavier-normal", "xavier-normal", "torch", NULL, NULL, NAN },
    { "kaiming-normal", "kaiming-normal", "torch", NULL, NULL, NAN },
    { "kaiming-normal-fan-out", "kaiming-normal", "torch", "fan_out", "relu", NAN },
    { "normal", "normal:1", "torch", NULL, NULL, NAN },
    { "uniform", "uniform:0.1", "torch", NULL, NULL, NAN },
    { "trunc-normal", "truncated-normal:0.02", "torch", NULL, NULL, NAN },
    { "orthogonal", "orthogonal", "torch", NULL, NULL, NAN },
    { "lecun-normal", "lecun-normal", "torch", NULL, NULL, NAN },
    { "xavier-uniform-tanh-gain", "xavier-uniform", "torch", NULL, NULL, 5.0 / 3.0 },
    { "sequential-default", "torch-default", "torch", NULL, NULL, NAN },
};

/* A line of torch.txt, and the file that its numbers are read from. */
typedef struct vector {
    unsigned seed;
    char what[40];
    size_t rows, cols;
    FILE *numbers;
} vector;

/* The next `count` numbers are these; an orthogonal matrix went through LAPACK, whose rounding is not ours. */
static void same_numbers(const vector *v, const float *got, size_t count)
{
    float *want = malloc(count * sizeof *want);
    ck_assert_uint_eq(fread(want, sizeof *want, count, v->numbers), count);
    for (size_t i = 0; i < count; i++) {
        const bool same = !strcmp(v->what, "orthogonal") ? fabsf(got[i] - want[i]) <= 1e-5f
                                                         : !memcmp(&got[i], &want[i], sizeof *want);
        ck_assert_msg(same, "seed %u, %s [%zu,%zu]: number %zu is %a, not %a", v->seed, v->what, v->rows, v->cols, i,
                      (double)got[i], (double)want[i]);
    }
    free(want);
}

static void same_tensor(const vector *v, const tonnx_model *model, const char *name)
{
    tonnx_tensor_info info;
    size_t at;
    ck_ok(tonnx_model_find(model, name, &at));
    tonnx_model_tensor(model, at, &info);
    double *values = malloc(info.count * sizeof *values);
    float *floats = malloc(info.count * sizeof *floats);
    ck_ok(tonnx_model_read(model, at, values));
    for (size_t i = 0; i < info.count; i++) floats[i] = (float)values[i];
    same_numbers(v, floats, info.count);
    free(values);
    free(floats);
}

/* Linear layers drawn as the call says: a weight, and where PyTorch's default drew first, its bias. */
static void check_call(const vector *v, const call *c)
{
    static const char *const tensors[] = { "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias" };
    const bool sequential = !strcmp(v->what, "sequential-default"), after = !strcmp(c->rng, "torch-after-default");
    const size_t widths[] = { v->cols, v->rows, 4 };
    const size_t count = sequential ? 4 : after || !strcmp(v->what, "linear-default") ? 2 : 1;
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    init.scheme = c->scheme;
    init.rng = c->rng;
    init.mode = c->mode;
    init.nonlinearity = c->nonlinearity;
    init.gain = c->gain;
    init.seed = v->seed;
    options.init = &init;
    ck_ok(tonnx_model_mlp(&model, widths, sequential ? 3 : 2, &options));
    for (size_t i = 0; i < count; i++) same_tensor(v, model, tensors[i]);
    tonnx_model_free(model);
}

/* torch.rand and torch.randn one after another: "rand 20 randn 15 …". */
static void check_raw(const vector *v, const int *counts, const char *kinds)
{
    tonnx__torch_rng rng;
    float values[64];
    tonnx__torch_seed(&rng, v->seed);
    for (size_t i = 0; kinds[i]; i++) {
        if (kinds[i] == 'u') tonnx__torch_uniform(&rng, values, (size_t)counts[i], 0, 1);
        else tonnx__torch_normal(&rng, values, (size_t)counts[i], 0, 1);
        same_numbers(v, values, (size_t)counts[i]);
    }
}

static void check_vector(const vector *v)
{
    if (!strcmp(v->what, "raw-draws-in-sequence")) check_raw(v, (const int[]){ 20, 15, 16, 40 }, "unnn");
    else if (!strcmp(v->what, "odd-normals-then-uniform")) check_raw(v, (const int[]){ 3, 4, 5 }, "nnu");
    else {
        const call *c = calls;
        while (strcmp(c->what, v->what) != 0) ck_assert(++c < calls + sizeof calls / sizeof *calls);
        check_call(v, c);
    }
}

START_TEST(vectors)
{
    FILE *list = fopen(FOLDER "torch.txt", "r");
    vector v = { .numbers = fopen(FOLDER "torch.f32", "rb") };
    char line[256];
    int count = 0;
    ck_assert(list && v.numbers);
    while (fgets(line, sizeof line, list)) {
        if (*line == '#') continue;
        ck_assert_int_eq(sscanf(line, "%u %39s %zu %zu", &v.seed, v.what, &v.rows, &v.cols), 4);
        check_vector(&v);
        count++;
    }
    ck_assert_int_eq(count, CASES);
    ck_assert_int_eq(fgetc(v.numbers), EOF);
    fclose(list);
    fclose(v.numbers);
}
END_TEST

static Suite *init_torch_suite(void)
{
    Suite *suite = suite_create("init_torch");
    TCase *cases = tcase_create("torch");
    tcase_add_test(cases, vectors);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    return run_suite(init_torch_suite());
}
