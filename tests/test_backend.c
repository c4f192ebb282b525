/* The CPU backend against the reference, for every variant of every instruction kind, on each instruction set that this
 * machine has; bit-equality for any number of threads; and the front door. */
#include "runtime/cpu/cpu_impl.h"
#include "trial_judge.h"

static void check_kind(int kind, int isa)
{
    tonnx__backend *cpu = NULL;
    ck_ok(tonnx__cpu_open_isa(&cpu, &(tonnx__backend_options){ "cpu", 2, { NULL, NULL }, TONNX_FP32 }, isa));
    check_against_reference(cpu, kind, tonnx__isa_kernels(isa)->name, 1);
    tonnx__backend_close(cpu);
}

START_TEST(cpu_is_reference)
{
    for (int isa = 0; isa < tonnx__isa_count(); isa++)
        if (tonnx__isa_runs(isa)) check_kind(_i, isa);
}
END_TEST

/* At least seven tiles of every kind, none of them round. */
enum { MANY_ROWS = 331, MANY_COLS = 211 };

START_TEST(threads_change_no_bit)
{
    enum { CHOICES = 4 }; /* the last leaves the number to the backend */
    const int threads[CHOICES] = { 1, 2, 3, 0 };
    tonnx__backend *backends[CHOICES];
    for (int b = 0; b < CHOICES; b++) backends[b] = trial_open("cpu", threads[b]);
    for (unsigned v = 0;; v++) {
        trial t;
        trial_begin(&t, MANY_ROWS, MANY_COLS, v);
        if (!makers[_i](&t, v)) {
            trial_end(&t);
            break;
        }
        const size_t count = t.program->arena_size[TONNX__ARENA_WORK];
        double *first = calloc(count, sizeof *first), *other = calloc(count, sizeof *other);
        trial_run(&t, backends[0], first, NULL, 3);
        for (int b = 1; b < CHOICES; b++) {
            trial_run(&t, backends[b], other, NULL, 3);
            ck_assert_msg(!memcmp(first, other, count * sizeof *first), "%s, variant %u: %d threads differ from 1",
                          tonnx__kind_name(_i), v, threads[b]);
        }
        free(first);
        free(other);
        trial_end(&t);
    }
    for (int b = 0; b < CHOICES; b++) tonnx__backend_close(backends[b]);
}
END_TEST

/* A chain whose links depend on each other, over many steps of one run, results and all. */
static void make_chain(trial *t)
{
    tonnx__instruction *code = NULL;
    int result = -1;
    gemm_product(t, &code, 2);
    const int c = code->out[0];
    code->op = TONNX_ACT_tanh;
    const int y = trial_buffer(t, "y", t->n, t->f), sum = trial_buffer(t, "sum", 1, t->f);
    code = trial_add(t, TONNX__DROPOUT);
    code->a = 0.3;
    code->in[0] = c;
    code->out[0] = y;
    code = trial_add(t, TONNX__COLUMN_SUM);
    code->in[0] = y;
    code->out[0] = sum;
    code = trial_add(t, TONNX__BINARY);
    code->op = TONNX__ADD;
    code->in[0] = y;
    code->in[1] = sum;
    code->out[0] = y;
    ck_ok(tonnx__program_buffer(t->program, &result, "loss", TONNX__ARENA_RESULT, 1, 1));
    code = trial_add(t, TONNX__REDUCE);
    code->block = t->n * t->f;
    code->in[0] = y;
    code->out[0] = result;
    code = trial_add(t, TONNX__BINARY); /* the next step begins with another B */
    code->op = TONNX__MUL;
    code->in[0] = t->program->code[0].in[1];
    code->in[1] = result;
    code->out[0] = code->in[0];
    const size_t b_rows = t->program->buffers[code->in[0]].rows, b_cols = t->program->buffers[code->in[0]].cols;
    for (size_t i = 0; i < b_rows * b_cols; i++) trial_values(t, code->in[0])[i] *= 1e-3;
}

START_TEST(steps_follow_each_other)
{
    enum { STEPS = 40 };
    tonnx__backend *reference = trial_open("reference", 0);
    double want[STEPS * TONNX__RESULTS], got[STEPS * TONNX__RESULTS], first[STEPS * TONNX__RESULTS];
    trial t;
    trial_begin(&t, 61, 67, 5);
    make_chain(&t);
    double *work = calloc(t.program->arena_size[TONNX__ARENA_WORK], sizeof *work);
    trial_run(&t, reference, work, want, STEPS);
    for (int threads = 1; threads <= 4; threads++) {
        tonnx__backend *cpu = trial_open("cpu", threads);
        trial_run(&t, cpu, work, got, STEPS);
        if (threads == 1) memcpy(first, got, sizeof got);
        ck_assert_msg(!memcmp(first, got, sizeof got), "%d threads differ from 1", threads);
        tonnx__backend_close(cpu);
    }
    for (int s = 0; s < 3; s++) ck_near(got[s * TONNX__RESULTS], want[s * TONNX__RESULTS], 0.0, 1e-4);
    free(work);
    trial_end(&t);
    tonnx__backend_close(reference);
}
END_TEST

/* dW = dYᵀ·X of so many samples, by halves of the batch; of so many features that it goes packed, in pieces of the gradient;
 * and of few samples, or some more, for weights that no cache holds; once its rows are far apart. */
static const struct {
    size_t samples, n, f;
    tonnx_optimizer optimizer;
} large_updates[] = { { 517, 61, 389, TONNX_ADAM },  { 293, 299, 2311, TONNX_ADAM },  { 9, 1013, 1061, TONNX_ADAM },
                      { 33, 509, 2131, TONNX_ADAM }, { 149, 1013, 1061, TONNX_ADAM }, { 21, 1013, 1061, TONNX_SGD } };

/* A step by such a dW, and of the bias beside it; SGD's without moments. */
static void make_large_update(trial *t, size_t samples, tonnx_optimizer optimizer)
{
    const double h[6] = { 0.9, 0.99, 1e-8, 0.01, 1.0, 0.0 };
    const int dy = trial_buffer(t, "dy", samples, t->n), x = trial_buffer(t, "x", samples, t->f);
    tonnx__instruction *code = trial_add(t, TONNX__GEMM_UPDATE);
    code->flags = TONNX__TRANS_A;
    code->op = (int)optimizer;
    memcpy(code->h, h, sizeof h);
    if (optimizer == TONNX_SGD) code->h[TONNX__H_BETA1] = 0.0;
    code->in[0] = dy;
    code->in[1] = x;
    code->out[0] = trial_buffer(t, "p", t->n, t->f);
    code->out[3] = trial_buffer(t, "bp", 1, t->n);
    if (optimizer == TONNX_SGD) return;
    code->out[1] = trial_positive(t, "m", t->n, t->f);
    code->out[2] = trial_positive(t, "v", t->n, t->f);
    code->out[4] = trial_positive(t, "bm", 1, t->n);
    code->out[5] = trial_positive(t, "bv", 1, t->n);
}

/* Two steps of the program come to the same bits on one to five threads, and near to the reference's. */
static void check_threads(trial *t)
{
    tonnx__backend *reference = trial_open("reference", 0);
    const size_t count = t->program->arena_size[TONNX__ARENA_WORK];
    double *want = calloc(count, sizeof *want), *first = calloc(count, sizeof *first), *got = calloc(count, sizeof *got);
    trial_run(t, reference, want, NULL, 2);
    for (int threads = 1; threads <= 5; threads++) {
        tonnx__backend *cpu = trial_open("cpu", threads);
        trial_run(t, cpu, got, NULL, 2);
        if (threads == 1) memcpy(first, got, count * sizeof *got);
        ck_assert_msg(!memcmp(first, got, count * sizeof *got), "%d threads differ from 1", threads);
        tonnx__backend_close(cpu);
    }
    compare(t, got, want, "cpu", 0);
    free(want);
    free(first);
    free(got);
    tonnx__backend_close(reference);
}

START_TEST(a_large_gradient_steps_alike_on_any_number_of_threads)
{
    trial t;
    trial_begin(&t, large_updates[_i].n, large_updates[_i].f, 6);
    make_large_update(&t, large_updates[_i].samples, large_updates[_i].optimizer);
    check_threads(&t);
    trial_end(&t);
}
END_TEST

/* dX of so many samples times a W whose rows are far apart, and an activation's derivative; or added to what is there. */
static const struct {
    size_t samples, n, f;
} wide_inputs[] = { { 1, 300, 2500 }, { 48, 300, 2500 }, { 49, 300, 2500 }, { 20, 257, 4099 } };

static void make_wide_dx(trial *t, size_t samples, bool add)
{
    tonnx__instruction *code = trial_add(t, TONNX__GEMM);
    code->flags = add ? TONNX__ACC0 : TONNX__EPILOGUE_BACK;
    if (!add) code->op = TONNX_ACT_tanh;
    code->alpha = 0.75;
    code->in[0] = trial_buffer(t, "dy", samples, t->n);
    code->in[1] = trial_buffer(t, "w", t->n, t->f);
    if (!add) code->in[4] = trial_buffer(t, "y", samples, t->f);
    code->out[0] = trial_buffer(t, "dx", samples, t->f);
}

START_TEST(a_wide_layer_s_dx_is_alike_on_any_number_of_threads)
{
    for (int add = 0; add < 2; add++) {
        trial t;
        trial_begin(&t, wide_inputs[_i].n, wide_inputs[_i].f, 7);
        make_wide_dx(&t, wide_inputs[_i].samples, add);
        check_threads(&t);
        trial_end(&t);
    }
}
END_TEST

START_TEST(classes_beyond_the_columns_spoil_their_row_alone)
{
    const char *const names[] = { "reference", "cpu" };
    const double beyond[] = { 7.0, -1.0, 1e30 };
    for (int b = 0; b < 2; b++)
        for (int k = 0; k < 3; k++)
            for (int loss = 0; loss < TONNX_LOSS_COUNT; loss++) {
                tonnx__backend *backend = trial_open(names[b], 1);
                trial t;
                trial_begin(&t, 3, 7, 1);
                ck_assert(make_LOSS(&t, (unsigned)loss * 4 + 1));
                trial_values(&t, t.program->code[0].in[1])[1] = beyond[k];
                double *work = calloc(t.program->arena_size[TONNX__ARENA_WORK], sizeof *work);
                trial_run(&t, backend, work, NULL, 1);
                const double *l = work + t.program->buffers[t.program->code[0].out[0]].offset;
                ck_assert(isfinite(l[0]) && isnan(l[1]) && isfinite(l[2]));
                free(work);
                trial_end(&t);
                tonnx__backend_close(backend);
            }
}
END_TEST

START_TEST(the_front_door_refuses)
{
    const size_t sizes[TONNX__STATE_ARENAS] = { 10, 10, 0, 0, 3 };
    tonnx__backend *cpu = trial_open("auto", 2), *none = NULL;
    tonnx__device_state *state = NULL;
    tonnx__exec *exec = NULL;
    double numbers[16] = { 0 };
    trial t;
    ck_fails(tonnx__backend_open(&none, &(tonnx__backend_options){ "gpu", 0, { NULL, NULL }, TONNX_FP32 }), TONNX_BAD_DEVICE,
             "cpu, vulkan, reference");
    ck_fails(tonnx__backend_open(&none, &(tonnx__backend_options){ "cpu", -1, { NULL, NULL }, TONNX_FP32 }), TONNX_BAD_USAGE, "-1");
    ck_fails(tonnx__backend_open(&none, &(tonnx__backend_options){ "cpu", 5000, { NULL, NULL }, TONNX_FP32 }), TONNX_BAD_USAGE,
             "5000");
    ck_assert_ptr_null(none);
    ck_ok(tonnx__device_state_new(&state, cpu, sizes));
    ck_fails(tonnx__device_state_write(state, TONNX__ARENA_PARAM, 8, 3, numbers, TONNX__F64), TONNX_BAD_USAGE, "param");
    ck_fails(tonnx__device_state_read(state, TONNX__ARENA_WORK, 0, 1, numbers, TONNX__F64), TONNX_BAD_USAGE, "work");
    ck_fails(tonnx__device_state_read(state, TONNX__ARENA_STATIC, SIZE_MAX, 2, numbers, TONNX__F64), TONNX_BAD_USAGE,
             "static");
    trial_begin(&t, 4, 3, 1);
    ck_assert(make_GATHER(&t, 0));
    ck_ok(tonnx__exec_new(&exec, state, t.program));
    tonnx__record record = t.record;
    ck_fails(tonnx__exec_run(exec, NULL, NULL, &record, 1), TONNX_BAD_USAGE, "no data");
    ck_fails(tonnx__exec_run(exec, &t.feed, NULL, &record, TONNX__MAX_STEPS + 1), TONNX_BAD_USAGE, "steps");
    record.first = t.feed.samples - 3;
    ck_fails(tonnx__exec_run(exec, &t.feed, t.order, &record, 1), TONNX_BAD_USAGE, "data");
    record = t.record;
    record.rows = 3;
    ck_fails(tonnx__exec_run(exec, &t.feed, t.order, &record, 1), TONNX_BAD_USAGE, "rows");
    t.feed.features++;
    ck_fails(tonnx__exec_run(exec, &t.feed, t.order, &t.record, 1), TONNX_BAD_DATA, "features");
    t.feed.features--;
    t.feed.classes = NULL;
    ck_fails(tonnx__exec_run(exec, &t.feed, t.order, &t.record, 1), TONNX_BAD_DATA, "targets");
    ck_fails(tonnx__exec_read(exec, 99, numbers, TONNX__F64), TONNX_BAD_USAGE, "99");
    tonnx__exec_free(exec);
    t.program->arena_size[TONNX__ARENA_PARAM] = 11;
    ck_fails(tonnx__exec_new(&exec, state, t.program), TONNX_BAD_USAGE, "param");
    trial_end(&t);
    tonnx__device_state_free(state);
    tonnx__backend_close(cpu);
}
END_TEST

START_TEST(state_goes_in_and_out)
{
    const char *const names[] = { "reference", "cpu" };
    const size_t sizes[TONNX__STATE_ARENAS] = { 5, 0, 0, 0, 0 };
    for (int b = 0; b < 2; b++) {
        tonnx__backend *backend = trial_open(names[b], 0);
        tonnx__device_state *state = NULL;
        const float in[3] = { 1.5f, -2.25f, 0.1f };
        double out[5];
        float back[3];
        ck_ok(tonnx__device_state_new(&state, backend, sizes));
        ck_ok(tonnx__device_state_write(state, TONNX__ARENA_PARAM, 1, 3, in, TONNX__F32));
        ck_ok(tonnx__device_state_read(state, TONNX__ARENA_PARAM, 0, 5, out, TONNX__F64));
        ck_ok(tonnx__device_state_read(state, TONNX__ARENA_PARAM, 1, 3, back, TONNX__F32));
        ck_assert(out[0] == 0.0 && out[1] == 1.5 && out[3] == (double)0.1f && out[4] == 0.0);
        ck_assert_mem_eq(in, back, sizeof in);
        ck_assert(strlen(tonnx__backend_device(backend)) > 0);
        tonnx__device_state_free(state);
        tonnx__backend_close(backend);
    }
}
END_TEST

static void count_device(void *user, const tonnx_device_info *info)
{
    ck_assert(info->backend && *info->device && info->detail);
    ++*(int *)user;
}

START_TEST(devices_are_listed)
{
    int count = 0;
    ck_ok(tonnx_devices(count_device, &count));
    ck_assert_int_ge(count, 2);
}
END_TEST

static Suite *backend_suite(void)
{
    Suite *suite = suite_create("backend");
    TCase *kinds = tcase_create("kinds"), *door = tcase_create("front door");
    tcase_set_timeout(kinds, 120);
    tcase_add_loop_test(kinds, cpu_is_reference, 0, TONNX__KINDS);
    tcase_add_loop_test(kinds, threads_change_no_bit, 0, TONNX__KINDS);
    tcase_add_test(kinds, steps_follow_each_other);
    tcase_add_loop_test(kinds, a_large_gradient_steps_alike_on_any_number_of_threads, 0,
                         sizeof large_updates / sizeof *large_updates);
    tcase_add_loop_test(kinds, a_wide_layer_s_dx_is_alike_on_any_number_of_threads, 0, sizeof wide_inputs / sizeof *wide_inputs);
    tcase_add_test(kinds, classes_beyond_the_columns_spoil_their_row_alone);
    tcase_add_test(door, the_front_door_refuses);
    tcase_add_test(door, state_goes_in_and_out);
    tcase_add_test(door, devices_are_listed);
    suite_add_tcase(suite, kinds);
    suite_add_tcase(suite, door);
    return suite;
}

int main(void)
{
    return run_suite(backend_suite());
}
