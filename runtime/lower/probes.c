/* Probes: values are measured where forward made them; and gradients that are looked at rather than followed. */
#include "runtime/lower/lower_impl.h"
#include "runtime/stats.h"

enum { RUN = 1 << 16 }; /* elements that a histogram counts together: floats hold such counts exactly */

/* S[9,F]: the moments of every unit. */
static tonnx_status emit_moments(tonnx__lowering *lowering, int x, tonnx__probe *probe)
{
    tonnx__program *program = lowering->program;
    const tonnx__buffer of = program->buffers[x];
    tonnx__instruction *code = NULL;
    tonnx_status status = tonnx__work(lowering, &probe->result, of.name, "moments of ", TONNX__MOMENTS_ROWS, of.cols);
    if (!status) status = tonnx__program_add(program, &code, TONNX__MOMENTS);
    if (status) return status;
    code->in[0] = x;
    code->out[0] = probe->result;
    code->block = 1;
    code->a = probe->below;
    code->b = probe->above;
    program->buffers[probe->result].keep = true;
    return TONNX_OK;
}

/* H[R,64] over a range that is written from outside. */
static tonnx_status emit_histogram(tonnx__lowering *lowering, int x, tonnx__probe *probe)
{
    tonnx__program *program = lowering->program;
    const tonnx__buffer of = program->buffers[x];
    tonnx__instruction *code = NULL;
    tonnx_status status = tonnx__work(lowering, &probe->range, of.name, "range of ", 1, 2);
    if (!status)
        status =
            tonnx__work(lowering, &probe->result, of.name, "bins of ", (of.rows * of.cols - 1) / RUN + 1, TONNX_BINS);
    if (!status) status = tonnx__program_add(program, &code, TONNX__HISTOGRAM);
    if (status) return status;
    code->in[0] = x;
    code->in[1] = probe->range;
    code->out[0] = probe->result;
    code->block = RUN;
    program->buffers[probe->result].keep = true;
    return TONNX_OK;
}

static tonnx_status emit_probe(tonnx__lowering *lowering, int x, tonnx__probe *probe)
{
    if (lowering->goal->probing == TONNX__PROBE_MOMENTS) return emit_moments(lowering, x, probe);
    if (lowering->goal->probing == TONNX__PROBE_HISTOGRAMS) return emit_histogram(lowering, x, probe);
    probe->result = x;
    lowering->program->buffers[x].keep = true;
    return TONNX_OK;
}

tonnx_status tonnx__lower_probes(tonnx__lowering *lowering)
{
    tonnx_status status = TONNX_OK;
    for (size_t v = 0; v < lowering->net->value_count && !status; v++) {
        tonnx__probe *probe = &lowering->goal->probes[v];
        probe->result = probe->range = -1;
        if (lowering->value[v] >= 0) status = emit_probe(lowering, lowering->value[v], probe);
    }
    return status;
}

/* MOMENT1 += rows/samples · G: the mean over the batch becomes its part of the mean over the set. */
tonnx_status tonnx__lower_collect(tonnx__lowering *lowering)
{
    const tonnx__goal *goal = lowering->goal;
    const size_t size = lowering->layout->sizes[TONNX__ARENA_PARAM];
    tonnx__program *program = lowering->program;
    tonnx__instruction *code = NULL;
    int share = -1, gradient = -1, sum = -1;
    if (!size) return TONNX_OK;
    tonnx_status status = tonnx__work(lowering, &share, "set", "share of the ", 1, 1);
    if (!status) status = tonnx__program_buffer(program, &gradient, "gradient", TONNX__ARENA_GRAD, 1, size);
    if (!status) status = tonnx__program_buffer(program, &sum, "sum", TONNX__ARENA_MOMENT1, 1, size);
    if (!status) status = tonnx__program_add(program, &code, TONNX__FILL);
    if (status) return status;
    code->out[0] = share;
    code->a = (double)goal->rows / (double)goal->collect;
    status = tonnx__program_add(program, &code, TONNX__BINARY);
    if (status) return status;
    code->op = TONNX__MUL;
    code->in[0] = gradient;
    code->in[1] = share;
    code->out[0] = gradient;
    return tonnx__emit_copy(lowering, gradient, 0, sum, 0, size, TONNX__ACC0);
}
