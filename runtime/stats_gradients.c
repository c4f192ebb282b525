/* Gradients: those that a survey collected in MOMENT1, and the step that the optimizer would make of them, measured by
 * a program of their own. */
#include <math.h>
#include <string.h>

#include "runtime/stats_impl.h"

enum { RUN = 1 << 16 }; /* elements that a histogram counts together */

/* One trained parameter: its buffers in the program. */
typedef struct slot {
    int gradient, moments, update_moments, range, histogram;
    size_t panels, block;
} slot;

typedef struct maker {
    tonnx__program *program;
    const tonnx__state *state;
    const tonnx__goal *goal;
    double rate;
    bool bins;
} maker;

/* A parameter's part of an arena, as rows of up to 1024: moments do not ask for its shape. */
static tonnx_status part_of(const maker *m, size_t p, tonnx__arena arena, int *out)
{
    const tonnx__param *param = &m->state->net->params[p];
    const size_t count = param->rows * param->cols;
    size_t cols = count;
    for (size_t width = 1024; width >= 16; width /= 4)
        if (count % width == 0) {
            cols = width;
            break;
        }
    const tonnx_status status = tonnx__program_buffer(m->program, out, param->name, arena, count / cols, cols);
    if (!status) m->program->buffers[*out].offset = m->state->layout.places[p].offset;
    return status;
}

static tonnx_status like(const maker *m, int buffer, const char *name, int *out)
{
    const tonnx__buffer of = m->program->buffers[buffer];
    return tonnx__program_buffer(m->program, out, name, TONNX__ARENA_WORK, of.rows, of.cols);
}

static tonnx_status fill(const maker *m, int buffer, double value)
{
    tonnx__instruction *code = NULL;
    const tonnx_status status = tonnx__program_add(m->program, &code, TONNX__FILL);
    if (status) return status;
    code->out[0] = buffer;
    code->a = value;
    return TONNX_OK;
}

static tonnx_status zeros_like(const maker *m, int buffer, const char *name, int *out)
{
    const tonnx_status status = like(m, buffer, name, out);
    return status ? status : fill(m, *out, 0);
}

static tonnx_status binary(const maker *m, int op, int a, int b, int y)
{
    tonnx__instruction *code = NULL;
    const tonnx_status status = tonnx__program_add(m->program, &code, TONNX__BINARY);
    if (status) return status;
    code->op = op;
    code->in[0] = a;
    code->in[1] = b;
    code->out[0] = y;
    return TONNX_OK;
}

/* decay·P, as a buffer of its own. */
static tonnx_status decayed(const maker *m, size_t p, int like_this, double factor, int *out)
{
    int param = -1, number = -1;
    tonnx_status status = part_of(m, p, TONNX__ARENA_PARAM, &param);
    if (!status) status = tonnx__program_buffer(m->program, &number, "decay", TONNX__ARENA_WORK, 1, 1);
    if (!status) status = fill(m, number, factor);
    if (!status) status = like(m, like_this, "decayed", out);
    return status ? status : binary(m, TONNX__MUL, param, number, *out);
}

/* U = the first step from parameters that are zero, which no rounding of theirs can blur; weight decay beside it. */
static tonnx_status update_of(const maker *m, size_t p, int gradient, int *update)
{
    tonnx__instruction *code = NULL;
    tonnx_optimizer_info row;
    int moments[2] = { -1, -1 }, with_decay = gradient, decay = -1;
    const double factor = m->goal->h[TONNX__H_DECAY];
    tonnx_optimizer_describe(m->goal->optimizer, &row);
    tonnx_status status = zeros_like(m, gradient, "update", update);
    for (int i = 0; i < m->goal->moments && !status; i++) status = zeros_like(m, gradient, "moment", &moments[i]);
    if (!status && factor > 0) status = decayed(m, p, gradient, row.decoupled ? m->rate * factor : factor, &decay);
    if (!status && factor > 0 && !row.decoupled) {
        with_decay = decay;
        status = binary(m, TONNX__ADD, gradient, decay, with_decay);
    }
    if (!status) status = tonnx__program_add(m->program, &code, TONNX__UPDATE);
    if (status) return status;
    code->op = m->goal->optimizer;
    code->in[0] = with_decay;
    code->out[0] = *update;
    code->out[1] = moments[0];
    code->out[2] = moments[1];
    memcpy(code->h, m->goal->h, sizeof code->h);
    code->h[TONNX__H_DECAY] = 0;
    return factor > 0 && row.decoupled ? binary(m, TONNX__SUB, *update, decay, *update) : TONNX_OK;
}

static tonnx_status moments_of(const maker *m, int x, slot *s, int *out)
{
    const tonnx__buffer of = m->program->buffers[x];
    tonnx__instruction *code = NULL;
    s->block = of.cols < 64 ? of.cols : 64;
    s->panels = (of.cols - 1) / s->block + 1;
    tonnx_status status =
        tonnx__program_buffer(m->program, out, "moments", TONNX__ARENA_WORK, TONNX__MOMENTS_ROWS, s->panels);
    if (!status) status = tonnx__program_add(m->program, &code, TONNX__MOMENTS);
    if (status) return status;
    code->in[0] = x;
    code->out[0] = *out;
    code->block = s->block;
    code->a = -INFINITY;
    code->b = INFINITY;
    m->program->buffers[*out].keep = true;
    return TONNX_OK;
}

static tonnx_status bins_of(const maker *m, slot *s)
{
    const size_t count = tonnx__buffer_count(&m->program->buffers[s->gradient]);
    tonnx__instruction *code = NULL;
    tonnx_status status = tonnx__program_buffer(m->program, &s->range, "range", TONNX__ARENA_WORK, 1, 2);
    if (!status)
        status = tonnx__program_buffer(m->program, &s->histogram, "bins", TONNX__ARENA_WORK, (count - 1) / RUN + 1,
                                       TONNX_BINS);
    if (!status) status = tonnx__program_add(m->program, &code, TONNX__HISTOGRAM);
    if (status) return status;
    code->in[0] = s->gradient;
    code->in[1] = s->range;
    code->out[0] = s->histogram;
    code->block = RUN;
    m->program->buffers[s->histogram].keep = true;
    return TONNX_OK;
}

static tonnx_status add_parameter(const maker *m, size_t p, slot *s)
{
    int update = -1;
    *s = (slot){ .gradient = -1, .moments = -1, .update_moments = -1, .range = -1, .histogram = -1 };
    if (m->state->layout.places[p].arena != TONNX__ARENA_PARAM) return TONNX_OK;
    tonnx_status status = part_of(m, p, TONNX__ARENA_MOMENT1, &s->gradient);
    if (status || m->bins) return status ? status : bins_of(m, s);
    status = moments_of(m, s->gradient, s, &s->moments);
    if (!status) status = update_of(m, p, s->gradient, &update);
    return status ? status : moments_of(m, update, s, &s->update_moments);
}

/* Makes the program and its slots; nothing of it is left on failure. */
static tonnx_status make(maker *m, slot **slots, tonnx__exec **exec)
{
    const size_t count = m->state->net->param_count;
    *exec = NULL;
    *slots = NULL;
    tonnx_status status = tonnx__alloc(&m->program, 1, sizeof *m->program);
    if (!status) status = tonnx__alloc(slots, count, sizeof **slots);
    if (status) return status;
    m->program->rows = 1;
    m->program->output = m->program->class_weights = -1;
    memcpy(m->program->arena_size, m->state->layout.sizes, sizeof m->state->layout.sizes);
    m->program->arena_size[TONNX__ARENA_RESULT] = TONNX__RESULTS;
    for (size_t p = 0; p < count && !status; p++) status = add_parameter(m, p, &(*slots)[p]);
    if (!status) status = tonnx__place(m->program);
    if (!status) status = tonnx__program_verify(m->program);
    return status ? status : tonnx__exec_new(exec, m->state->device, m->program);
}

/* Reads what MOMENTS made and joins its panels. */
static tonnx_status read_moments(tonnx__exec *exec, const slot *s, int buffer, tonnx__moments *out)
{
    const tonnx__buffer x = exec->program->buffers[s->gradient];
    float *found = NULL;
    *out = (tonnx__moments){ 0 };
    tonnx_status status = tonnx__alloc(&found, s->panels * TONNX__MOMENTS_ROWS, sizeof *found);
    if (!status) status = tonnx__exec_read(exec, buffer, found, TONNX__F32);
    for (size_t p = 0; p < s->panels && !status; p++) {
        tonnx__moments part;
        const size_t width = x.cols - p * s->block < s->block ? x.cols - p * s->block : s->block;
        tonnx__moments_of(&part, found, s->panels, p, width * x.rows);
        tonnx__moments_merge(out, &part);
    }
    tonnx__free(found);
    return status;
}

static tonnx_status take_moments(tonnx_weight_stats *weight, tonnx__exec *exec, const slot *s)
{
    tonnx__moments gradient, update;
    tonnx_summary step;
    tonnx_status status = read_moments(exec, s, s->moments, &gradient);
    if (!status) status = read_moments(exec, s, s->update_moments, &update);
    if (status) return status;
    tonnx__moments_summary(&gradient, &weight->gradient);
    tonnx__moments_summary(&update, &step);
    weight->update_rms = step.rms;
    weight->update_ratio = weight->values.rms > 0 ? step.rms / weight->values.rms : NAN;
    return TONNX_OK;
}

static tonnx_status write_ranges(const tonnx_stats *stats, tonnx__exec *exec, const slot *slots)
{
    tonnx_status status = TONNX_OK;
    for (size_t p = 0; p < stats->weight_count && !status; p++) {
        const tonnx_summary *gradient = &stats->weights[p].gradient;
        float range[2];
        if (slots[p].range < 0) continue;
        tonnx__bin_range(gradient->min, gradient->max, range);
        status = tonnx__exec_write(exec, slots[p].range, range, TONNX__F32);
    }
    return status;
}

static tonnx_status take_bins(tonnx_weight_stats *weight, tonnx__exec *exec, const slot *s)
{
    const size_t count = tonnx__buffer_count(&exec->program->buffers[s->histogram]);
    float *found = NULL;
    tonnx_status status = tonnx__alloc(&found, count, sizeof *found);
    if (!status) status = tonnx__exec_read(exec, s->histogram, found, TONNX__F32);
    for (size_t i = 0; i < count && !status && isfinite(weight->gradient.mean); i++)
        weight->gradient.histogram[i % TONNX_BINS] += (uint64_t)found[i];
    tonnx__free(found);
    return status;
}

/* One program: moments of gradients and steps, or the gradients' bins. */
static tonnx_status run(tonnx_stats *stats, tonnx__state *state, const tonnx__goal *goal, double rate, bool bins)
{
    maker m = { .state = state, .goal = goal, .rate = rate, .bins = bins };
    tonnx__record record = { .rate = rate, .rows = 1 };
    tonnx__exec *exec = NULL;
    slot *slots = NULL;
    tonnx__optimizer_coefficients(goal->optimizer, goal->h, 1, record.c);
    tonnx_status status = make(&m, &slots, &exec);
    if (!status && bins) status = write_ranges(stats, exec, slots);
    if (!status) status = tonnx__exec_run(exec, NULL, NULL, &record, 1);
    for (size_t p = 0; p < stats->weight_count && !status; p++)
        if (slots[p].gradient >= 0)
            status = bins ? take_bins(&stats->weights[p], exec, &slots[p])
                          : take_moments(&stats->weights[p], exec, &slots[p]);
    tonnx__exec_free(exec);
    tonnx__program_free(m.program);
    tonnx__free(slots);
    return status;
}

tonnx_status tonnx__stats_gradients(tonnx_stats *stats, tonnx__state *state, const tonnx__goal *goal, double rate,
                                    bool histograms)
{
    double square = 0;
    if (!state->layout.sizes[TONNX__ARENA_PARAM]) return TONNX_OK;
    tonnx_status status = run(stats, state, goal, rate, false);
    if (!status && histograms) status = run(stats, state, goal, rate, true);
    for (size_t p = 0; p < stats->weight_count; p++) {
        const tonnx_summary *gradient = &stats->weights[p].gradient;
        if (gradient->count) square += gradient->rms * gradient->rms * (double)gradient->count;
    }
    stats->grad_norm = status ? (double)NAN : sqrt(square);
    return status;
}
