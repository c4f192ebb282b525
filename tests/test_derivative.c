/* Every backward instruction of the reference backend against central differences of its forward one, in double. With
 * R = the gradient given to the backward instruction, and s(x) = Σ R ∘ Y(x), ∂s/∂x must be what it gives back. */
#include "runtime/ops/binary_impl.h"
#include "trial_kinds.h"

static const size_t shapes[][2] = { { 1, 1 }, { 1, 5 }, { 3, 1 }, { 2, 7 }, { 5, 3 }, { 7, 11 } };
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* h balances the difference's own error, h², against rounding, 1e-16/h. */
static const double h = 1e-5, bound = 2e-8;

/* s = weight·Σ R ∘ Y, or of Y alone where there is no R. */
typedef struct goal {
    int y, r;
    double weight;
} goal;

static double score(trial *t, tonnx__backend *backend, double *work, const goal *g)
{
    const tonnx__buffer *y = &t->program->buffers[g->y];
    double s = 0.0;
    trial_run(t, backend, work, NULL, 1);
    for (size_t i = 0; i < tonnx__buffer_count(y); i++)
        s += work[y->offset + i] * (g->r < 0 ? 1.0 : trial_values(t, g->r)[i]);
    return g->weight * s;
}

/* ∂s/∂x against what the program left in dx; where dx is full size and x broadcast, dx is summed first. */
static void check(trial *t, const goal *g, int x, int dx, const char *what)
{
    tonnx__backend *backend = trial_open("reference", 0);
    const tonnx__buffer *from = &t->program->buffers[x], *to = &t->program->buffers[dx];
    double *work = calloc(t->program->arena_size[TONNX__ARENA_WORK], sizeof *work), *at = trial_values(t, x);
    const size_t count = tonnx__buffer_count(from), full = tonnx__buffer_count(to);
    double *given = calloc(count, sizeof *given), worst = 0.0, size = 0.0;
    trial_run(t, backend, work, NULL, 1);
    for (size_t i = 0; i < full; i++) given[count == 1 ? 0 : i % count] += work[to->offset + i];
    for (size_t i = 0; i < count; i++) {
        const double kept = at[i];
        at[i] = kept + h;
        const double above = score(t, backend, work, g);
        at[i] = kept - h;
        const double below = score(t, backend, work, g);
        at[i] = kept;
        worst = fmax(worst, fabs((above - below) / (2.0 * h) - given[i]));
        size = fmax(size, fabs(given[i]));
    }
    ck_assert_msg(worst <= bound * (1.0 + size), "%s by %s [%zu,%zu]: off by %g of %g", what, from->name, t->n, t->f,
                  worst, size);
    free(work);
    free(given);
    tonnx__backend_close(backend);
}

static tonnx__instruction last(const trial *t)
{
    return t->program->code[t->program->code_count - 1];
}

/* The back instruction, with R as its dY and dX as its output 0. */
static tonnx__instruction *add_back(trial *t, tonnx__kind kind, const tonnx__instruction *forward, goal *g, int *dx)
{
    *g = (goal){ forward->out[0], trial_buffer(t, "R", t->n, t->f), 1.0 };
    *dx = trial_buffer(t, "dx", t->n, t->f);
    tonnx__instruction *back = trial_add(t, kind);
    back->op = forward->op;
    back->a = forward->a;
    back->b = forward->b;
    back->epsilon = forward->epsilon;
    back->flags = forward->flags & (TONNX__LOG | TONNX__RMS);
    back->stream = forward->stream;
    back->in[0] = g->r;
    back->out[0] = *dx;
    return back;
}

START_TEST(activations)
{
    for (unsigned v = 0; v < TONNX_ACT_COUNT + 2; v++) {
        trial t;
        goal g;
        int dx = -1;
        trial_begin(&t, shapes[_i][0], shapes[_i][1], v);
        ck_assert(make_ACT(&t, v));
        const tonnx__instruction forward = last(&t);
        tonnx__instruction *back = add_back(&t, TONNX__ACT_BACK, &forward, &g, &dx);
        back->in[1] = forward.in[0];
        back->in[2] = forward.out[0];
        back->in[3] = forward.in[1];
        int da = -1;
        if (forward.in[1] >= 0) {
            da = trial_buffer(&t, "da", 1, t.f);
            back = trial_add(&t, TONNX__SLOPE_BACK);
            back->op = forward.op;
            back->in[0] = g.r;
            back->in[1] = forward.in[0];
            back->in[2] = forward.in[1];
            back->out[0] = da;
        }
        tonnx_activation_info row;
        tonnx_activation_describe(forward.op, &row);
        check(&t, &g, forward.in[0], dx, row.name);
        if (da >= 0) check(&t, &g, forward.in[1], da, row.name);
        trial_end(&t);
    }
}
END_TEST

START_TEST(losses)
{
    for (unsigned v = 0; v < LOSSES + WEIGHTED_LOSSES; v++) {
        trial t;
        if (bit(v, 1)) continue; /* without a gradient */
        trial_begin(&t, shapes[_i][0], shapes[_i][1], v);
        ck_assert(make_LOSS(&t, v));
        const tonnx__instruction loss = last(&t);
        const goal g = { loss.out[0], -1, 1.0 / (double)t.n };
        check(&t, &g, loss.in[0], loss.out[1], tonnx_loss_name(loss.op));
        trial_end(&t);
    }
}
END_TEST

START_TEST(binaries)
{
    for (unsigned v = 0; v < 4 * 9; v++) {
        trial t;
        goal g;
        int da = -1;
        trial_begin(&t, shapes[_i][0], shapes[_i][1], v);
        ck_assert(make_BINARY(&t, v));
        const tonnx__instruction forward = last(&t);
        const int db = trial_buffer(&t, "db", t.n, t.f);
        tonnx__instruction *back = add_back(&t, TONNX__BINARY_BACK, &forward, &g, &da);
        back->in[1] = forward.in[0];
        back->in[2] = forward.in[1];
        back->out[1] = db;
        check(&t, &g, forward.in[0], da, "binary");
        check(&t, &g, forward.in[1], db, "binary");
        trial_end(&t);
    }
}
END_TEST

/* dX, dscale, dshift of the three norms. */
static void check_norm(trial *t, tonnx__kind back_kind, const tonnx__instruction *forward, const int *statistics)
{
    goal g;
    int dx = -1, dscale = -1, dshift = -1;
    if (back_kind != TONNX__FIXED_NORM_BACK) {
        dscale = trial_buffer(t, "dscale", 1, t->f);
        dshift = trial_buffer(t, "dshift", 1, t->f);
    }
    tonnx__instruction *back = add_back(t, back_kind, forward, &g, &dx);
    back->in[1] = back_kind == TONNX__FIXED_NORM_BACK ? forward->in[1] : forward->in[0];
    back->in[2] = back_kind == TONNX__FIXED_NORM_BACK ? forward->in[4] : forward->in[1];
    if (statistics) back->in[3] = statistics[0], back->in[4] = statistics[1];
    back->out[1] = dscale;
    back->out[2] = dshift;
    check(t, &g, forward->in[0], dx, tonnx__kind_name(forward->kind));
    if (dscale >= 0 && forward->in[1] >= 0) check(t, &g, forward->in[1], dscale, tonnx__kind_name(forward->kind));
    if (dshift >= 0 && forward->in[2] >= 0) check(t, &g, forward->in[2], dshift, tonnx__kind_name(forward->kind));
}

START_TEST(norms)
{
    static const struct {
        tonnx__kind forward, back;
        unsigned variants;
    } pairs[] = { { TONNX__BATCH_NORM, TONNX__BATCH_NORM_BACK, 4 },
                  { TONNX__FIXED_NORM, TONNX__FIXED_NORM_BACK, 2 },
                  { TONNX__ROW_NORM, TONNX__ROW_NORM_BACK, 8 } };
    for (int p = 0; p < 3; p++)
        for (unsigned v = 0; v < pairs[p].variants; v++) {
            trial t;
            trial_begin(&t, shapes[_i][0], shapes[_i][1], v);
            ck_assert(makers[pairs[p].forward](&t, v));
            t.program->code[0].epsilon = 0.1; /* one row, or one feature, has no variance: keep 1/√ tame */
            const tonnx__instruction forward = last(&t);
            check_norm(&t, pairs[p].back, &forward, p == 1 ? NULL : &forward.out[1]);
            trial_end(&t);
        }
}
END_TEST

START_TEST(softmax)
{
    for (unsigned v = 0; v < 2; v++) {
        trial t;
        goal g;
        int dx = -1;
        trial_begin(&t, shapes[_i][0], shapes[_i][1], v);
        ck_assert(make_SOFTMAX(&t, v));
        const tonnx__instruction forward = last(&t);
        add_back(&t, TONNX__SOFTMAX_BACK, &forward, &g, &dx)->in[1] = forward.out[0];
        check(&t, &g, forward.in[0], dx, v ? "log-softmax" : "softmax");
        trial_end(&t);
    }
}
END_TEST

/* Both are their own backward instruction, with V = dY. */
START_TEST(random_masks)
{
    static const tonnx__kind kinds[] = { TONNX__DROPOUT, TONNX__RANDOM_SLOPE };
    for (int k = 0; k < 2; k++) {
        trial t;
        goal g;
        int dx = -1;
        trial_begin(&t, shapes[_i][0], shapes[_i][1], 3);
        ck_assert(makers[kinds[k]](&t, k ? 0 : 1));
        const tonnx__instruction forward = last(&t);
        tonnx__instruction *back = add_back(&t, kinds[k], &forward, &g, &dx);
        if (k) back->in[1] = forward.in[1];
        check(&t, &g, forward.in[0], dx, tonnx__kind_name(kinds[k]));
        trial_end(&t);
    }
}
END_TEST

START_TEST(copies)
{
    trial t;
    trial_begin(&t, shapes[_i][0], shapes[_i][1], 3);
    ck_assert(make_COPY(&t, 0));
    const tonnx__instruction forward = last(&t);
    const goal g = { forward.out[0], trial_buffer(&t, "R", t.n, t.f + 5), 1.0 };
    const int dx = trial_buffer(&t, "dx", t.n, t.f);
    tonnx__instruction *back = trial_add(&t, TONNX__FILL);
    back->out[0] = dx;
    back->a = 0.0;
    back = trial_add(&t, TONNX__COPY);
    back->in[0] = g.r;
    back->out[0] = dx;
    back->from = forward.to;
    back->to = forward.from;
    back->width = forward.width;
    check(&t, &g, forward.in[0], dx, "copy");
    trial_end(&t);
}
END_TEST

/* Y = f(alpha·X·Wᵀ + beta·b): dZ = dY ∘ f'; dX = alpha·dZ·W; dW = alpha·dZᵀ·X; db = beta·S, the row sums of dZᵀ. And
 * with the derivative as an epilogue: X = f(U), dU = (dZ·W) ∘ f'(U). */
START_TEST(dense)
{
    trial t;
    trial_begin(&t, shapes[_i][0], shapes[_i][1], 9);
    const size_t in = 4;
    const int u = trial_buffer(&t, "u", t.n, in), x = trial_buffer(&t, "x", t.n, in);
    const int w = trial_buffer(&t, "w", t.f, in), b = trial_buffer(&t, "b", 1, t.f);
    const int y = trial_buffer(&t, "y", t.n, t.f), z = trial_buffer(&t, "z", t.n, t.f);
    const int dz = trial_buffer(&t, "dz", t.n, t.f), du = trial_buffer(&t, "du", t.n, in);
    const int dw = trial_buffer(&t, "dw", t.f, in), db = trial_buffer(&t, "db", 1, t.f);
    const goal g = { y, trial_buffer(&t, "R", t.n, t.f), 1.0 };
    tonnx__instruction *code = trial_add(&t, TONNX__ACT);
    *code = (tonnx__instruction){
        .kind = TONNX__ACT, .op = TONNX_ACT_tanh, .in = { u, -1, -1, -1, -1, -1 }, .out = { x, -1, -1, -1, -1, -1 }
    };
    code = trial_add(&t, TONNX__GEMM);
    *code = (tonnx__instruction){ .kind = TONNX__GEMM,
                                  .op = TONNX_ACT_gelu,
                                  .in = { x, w, b, -1, -1, -1 },
                                  .out = { y, z, -1, -1, -1, -1 },
                                  .flags = TONNX__TRANS_B,
                                  .alpha = 0.75,
                                  .beta = 1.0 };
    code = trial_add(&t, TONNX__ACT_BACK);
    *code = (tonnx__instruction){
        .kind = TONNX__ACT_BACK, .op = TONNX_ACT_gelu, .in = { g.r, z, -1, -1, -1, -1 }, .out = { dz, -1, -1, -1, -1, -1 }
    };
    code = trial_add(&t, TONNX__GEMM);
    *code = (tonnx__instruction){ .kind = TONNX__GEMM,
                                  .op = -1,
                                  .in = { dz, x, -1, -1, -1, -1 },
                                  .out = { dw, -1, db, -1, -1, -1 },
                                  .flags = TONNX__TRANS_A,
                                  .alpha = 0.75 };
    code = trial_add(&t, TONNX__GEMM);
    *code = (tonnx__instruction){ .kind = TONNX__GEMM,
                                  .op = TONNX_ACT_tanh,
                                  .in = { dz, w, -1, -1, x, -1 },
                                  .out = { du, -1, -1, -1, -1, -1 },
                                  .flags = TONNX__EPILOGUE_BACK,
                                  .alpha = 0.75 };
    check(&t, &g, u, du, "dense");
    check(&t, &g, w, dw, "dense");
    check(&t, &g, b, db, "dense");
    trial_end(&t);
}
END_TEST

static Suite *derivative_suite(void)
{
    Suite *suite = suite_create("derivative");
    TCase *tcase = tcase_create("central differences");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, activations, 0, SHAPES);
    tcase_add_loop_test(tcase, losses, 0, SHAPES);
    tcase_add_loop_test(tcase, binaries, 0, SHAPES);
    tcase_add_loop_test(tcase, norms, 0, SHAPES);
    tcase_add_loop_test(tcase, softmax, 0, SHAPES);
    tcase_add_loop_test(tcase, random_masks, 0, SHAPES);
    tcase_add_loop_test(tcase, copies, 0, SHAPES);
    tcase_add_loop_test(tcase, dense, 0, SHAPES);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(derivative_suite());
}
