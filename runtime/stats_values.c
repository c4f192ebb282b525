/* Weights: a chunk at a time from the file's bytes into a program that measures it. */
#include <math.h>
#include <string.h>

#include "runtime/stats_impl.h"

/* A chunk stays in a core's second cache while it is measured. */
enum { COLS = 1024, ROWS = 128, CHUNK = COLS * ROWS, PANEL = 64, RUN = 8 * COLS };

/* A program that measures `rows` × COLS numbers (or one row of fewer), written to its first buffer. */
typedef struct gauge {
    tonnx__program *program;
    tonnx__exec *exec;
    int x, range, result;
    size_t parts; /* panels of moments, or runs of bins */
} gauge;

typedef struct gauging {
    const tonnx_net *net;
    tonnx__device_state *state; /* without arenas */
    gauge gauges[2][2];         /* moments, bins; a whole chunk, the last one */
    float *numbers;             /* a chunk, converted; or what is read back */
    float *found;
} gauging;

static void gauge_clear(gauge *g)
{
    tonnx__exec_free(g->exec);
    tonnx__program_free(g->program);
    *g = (gauge){ 0 };
}

static tonnx_status gauge_program(gauge *g, size_t count, bool bins)
{
    const size_t cols = count < COLS ? count : COLS, rows = count / cols;
    tonnx__program *program = g->program;
    tonnx__instruction *code = NULL;
    g->parts = bins ? (count - 1) / RUN + 1 : (cols - 1) / PANEL + 1;
    tonnx_status status = tonnx__program_buffer(program, &g->x, "x", TONNX__ARENA_WORK, rows, cols);
    if (!status && bins) status = tonnx__program_buffer(program, &g->range, "range", TONNX__ARENA_WORK, 1, 2);
    if (!status)
        status = tonnx__program_buffer(program, &g->result, "result", TONNX__ARENA_WORK,
                                       bins ? g->parts : TONNX__MOMENTS_ROWS, bins ? TONNX_BINS : g->parts);
    if (!status) status = tonnx__program_add(program, &code, bins ? TONNX__HISTOGRAM : TONNX__MOMENTS);
    if (status) return status;
    code->in[0] = g->x;
    code->in[1] = bins ? g->range : -1;
    code->out[0] = g->result;
    code->block = bins ? RUN : PANEL;
    code->a = -INFINITY;
    code->b = INFINITY;
    program->buffers[g->result].keep = true;
    program->rows = 1;
    program->output = program->class_weights = -1;
    return tonnx__place(program);
}

static tonnx_status gauge_make(gauge *g, tonnx__device_state *state, size_t count, bool bins)
{
    gauge_clear(g);
    tonnx_status status = tonnx__alloc(&g->program, 1, sizeof *g->program);
    if (!status) status = gauge_program(g, count, bins);
    if (!status) status = tonnx__program_verify(g->program);
    return status ? status : tonnx__exec_new(&g->exec, state, g->program);
}

/* Elements [from, from + count) of a parameter, as floats: where they lie, if that is just so, or in g->numbers. */
static const void *chunk(const gauging *g, const tonnx__param *param, size_t from, size_t count)
{
    const tonnx__tensor *tensor = tonnx__param_tensor(param, g->net->model);
    const tonnx__view *view = &param->view;
    const bool in_rows = view->col_stride == 1 && (view->row_stride == param->cols || param->rows == 1);
    const bool in_columns = view->row_stride == 1 && view->col_stride == param->rows; /* any order will do */
    const unsigned char *bytes = tensor->fresh ? tensor->fresh : tensor->bytes;
    if (tensor->dtype == TONNX_FLOAT && view->factor == 1 && (in_rows || in_columns))
        return bytes + (view->offset + from) * sizeof(float);
    for (size_t i = 0; i < count; i++) {
        const size_t at = from + i, row = at / param->cols, col = at % param->cols;
        g->numbers[i] = (float)(view->factor * tonnx__tensor_get(tensor, view->offset + row * view->row_stride +
                                                                             col * view->col_stride));
    }
    return g->numbers;
}

/* Calls `take` for every chunk of a parameter after it was measured. */
static tonnx_status each_chunk(gauging *g, const tonnx__param *param, bool bins, const float range[2],
                               void (*take)(const gauging *g, const gauge *found, size_t count, void *user), void *user)
{
    const size_t total = param->rows * param->cols;
    const tonnx__record record = { .rows = 1 };
    tonnx_status status = TONNX_OK;
    for (size_t from = 0; from < total && !status;) {
        size_t count = total - from < CHUNK ? total - from : CHUNK;
        if (count > COLS) count -= count % COLS; /* what does not fill a row comes last */
        gauge *here = &g->gauges[bins][count < CHUNK];
        const bool fits = here->exec && tonnx__buffer_count(&here->program->buffers[here->x]) == count;
        if (!fits) status = gauge_make(here, g->state, count, bins);
        if (!status) status = tonnx__exec_write(here->exec, here->x, chunk(g, param, from, count), TONNX__F32);
        if (!status && bins) status = tonnx__exec_write(here->exec, here->range, range, TONNX__F32);
        if (!status) status = tonnx__exec_run(here->exec, NULL, NULL, &record, 1);
        if (!status) status = tonnx__exec_read(here->exec, here->result, g->found, TONNX__F32);
        if (!status) take(g, here, count, user);
        from += count;
    }
    return status;
}

static void take_moments(const gauging *g, const gauge *found, size_t count, void *user)
{
    const size_t cols = found->program->buffers[found->x].cols, rows = count / cols;
    for (size_t p = 0; p < found->parts; p++) {
        tonnx__moments part;
        const size_t width = cols - p * PANEL < PANEL ? cols - p * PANEL : PANEL;
        tonnx__moments_of(&part, g->found, found->parts, p, width * rows);
        tonnx__moments_merge(user, &part);
    }
}

static void take_bins(const gauging *g, const gauge *found, size_t count, void *user)
{
    uint64_t *bins = user;
    (void)count;
    for (size_t i = 0; i < found->parts * TONNX_BINS; i++) bins[i % TONNX_BINS] += (uint64_t)g->found[i];
}

/* Where the numbers are not finite: only looked for where the moments say so. */
static void find_not_finite(const gauging *g, const tonnx__param *param, tonnx_weight_stats *out)
{
    const tonnx__tensor *tensor = tonnx__param_tensor(param, g->net->model);
    for (size_t i = 0; i < param->rows * param->cols; i++) {
        const size_t row = i / param->cols, col = i % param->cols;
        const double value =
            param->view.factor *
            tonnx__tensor_get(tensor, param->view.offset + row * param->view.row_stride + col * param->view.col_stride);
        if (!isfinite(value) && !out->not_finite++) out->first_not_finite = i;
    }
}

static tonnx_status measure(gauging *g, size_t p, tonnx_weight_stats *out, bool histograms)
{
    const tonnx__param *param = &g->net->params[p];
    tonnx__moments all = { 0 };
    float range[2];
    *out = (tonnx_weight_stats){ .parameter = p,
                                 .gradient = tonnx__no_summary,
                                 .update_rms = NAN,
                                 .update_ratio = NAN,
                                 .spectral_norm = NAN,
                                 .effective_rank = NAN };
    tonnx_status status = each_chunk(g, param, false, NULL, take_moments, &all);
    tonnx__moments_summary(&all, &out->values);
    if (!status && !isfinite(all.mean)) find_not_finite(g, param, out);
    if (status || !histograms || !isfinite(all.mean)) return status;
    tonnx__bin_range(all.min, all.max, range);
    return each_chunk(g, param, true, range, take_bins, out->values.histogram);
}

tonnx_status tonnx__stats_values(tonnx_stats *stats, const tonnx_net *net, tonnx__backend *backend, bool histograms)
{
    const size_t none[TONNX__STATE_ARENAS] = { 0 };
    gauging g = { .net = net };
    tonnx_status status = tonnx__alloc(&stats->weights, net->param_count, sizeof *stats->weights);
    if (!status) status = tonnx__device_state_new(&g.state, backend, none);
    if (!status) status = tonnx__alloc(&g.numbers, CHUNK, sizeof *g.numbers);
    if (!status) status = tonnx__alloc(&g.found, (TONNX__MOMENTS_ROWS + TONNX_BINS) * (COLS / PANEL), sizeof *g.found);
    if (!status) stats->weight_count = net->param_count;
    for (size_t p = 0; p < net->param_count && !status; p++) status = measure(&g, p, &stats->weights[p], histograms);
    for (int i = 0; i < 4; i++) gauge_clear(&g.gauges[i / 2][i % 2]);
    tonnx__device_state_free(g.state);
    tonnx__free(g.numbers);
    tonnx__free(g.found);
    return status;
}
