#include "runtime/sweep_impl.h"

#include <math.h>

struct tonnx__sweep {
    tonnx__feed feed;
    size_t batch, width;
    int output;                  /* the net's output value */
    tonnx__program *programs[2]; /* a full batch, and the rows that are left */
    tonnx__exec *execs[2];
    float *values;            /* [batch, width] */
    const _Atomic bool *stop; /* NULL: nobody asks */
};

static tonnx_status compile(tonnx__sweep *sweep, int which, tonnx__state *state, const tonnx__goal *goal, size_t rows)
{
    tonnx__goal sized = *goal;
    sized.rows = rows;
    if (!rows) return TONNX_OK;
    const tonnx_status status = tonnx__lower(&sweep->programs[which], state->net, &state->layout, &sized);
    return status ? status : tonnx__exec_new(&sweep->execs[which], state->device, sweep->programs[which]);
}

tonnx_status tonnx__sweep_new(tonnx__sweep **out, tonnx__state *state, const tonnx_dataset *data,
                              const tonnx__goal *goal, size_t batch)
{
    tonnx__sweep *sweep = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&sweep, 1, sizeof *sweep);
    if (status) return status;
    sweep->batch = batch < data->samples ? batch : data->samples;
    sweep->output = state->net->output;
    sweep->width = state->net->values[state->net->output].features;
    tonnx__dataset_feed(data, &sweep->feed);
    status = compile(sweep, 0, state, goal, sweep->batch);
    if (!status) status = compile(sweep, 1, state, goal, data->samples % sweep->batch);
    if (!status && goal->keep_output) {
        size_t count = 0;
        tonnx__mul(&count, sweep->batch, sweep->width);
        status = tonnx__alloc(&sweep->values, count, sizeof *sweep->values);
    }
    if (status) tonnx__sweep_free(sweep);
    else *out = sweep;
    return status;
}

void tonnx__sweep_free(tonnx__sweep *sweep)
{
    if (!sweep) return;
    for (int i = 0; i < 2; i++) {
        tonnx__exec_free(sweep->execs[i]);
        tonnx__program_free(sweep->programs[i]);
    }
    tonnx__free(sweep->values);
    tonnx__free(sweep);
}

void tonnx__sweep_heed(tonnx__sweep *sweep, const _Atomic bool *stop)
{
    sweep->stop = stop;
}

tonnx_status tonnx__sweep_run(tonnx__sweep *sweep, tonnx_rows_fn rows, void *user, double *loss)
{
    tonnx__backend *backend = sweep->execs[0]->state->backend;
    double sum = 0, results[TONNX__RESULTS];
    tonnx_status status = TONNX_OK;
    tonnx__backend_heed(backend, sweep->stop);
    for (size_t first = 0; first < sweep->feed.samples && !status;) {
        const int which = sweep->feed.samples - first < sweep->batch;
        const tonnx__record record = { .first = first, .rows = sweep->programs[which]->rows };
        status = tonnx__exec_run(sweep->execs[which], &sweep->feed, NULL, &record, 1);
        if (!status && sweep->values)
            status = tonnx__exec_read(sweep->execs[which], sweep->programs[which]->output, sweep->values, TONNX__F32);
        if (!status && sweep->values && rows) status = rows(user, sweep->values, record.rows, sweep->width);
        if (!status && loss) status = tonnx__exec_results(sweep->execs[which], 1, results);
        if (!status && loss) sum += results[TONNX__RESULT_LOSS] * (double)record.rows;
        first += record.rows;
    }
    tonnx__backend_heed(backend, NULL);
    if (loss) *loss = sum / (double)sweep->feed.samples;
    return status;
}

/* What accumulates over the batches of a measurement. */
typedef struct tally {
    const tonnx_dataset *data;
    bool classes, binary;
    float threshold;      /* an output above it says class 1 */
    size_t sample, right; /* right: elements, where binary */
    double square, absolute;
    double *sums, *squares; /* of the targets, per output */
} tally;

static double target(const tally *t, size_t sample, size_t output)
{
    const tonnx_dataset *data = t->data;
    return data->classes ? (double)data->classes[sample] : (double)data->targets[sample * data->target_width + output];
}

static size_t arg_max(const float *row, size_t width)
{
    size_t best = 0;
    for (size_t i = 1; i < width; i++)
        if (row[i] > row[best]) best = i;
    return best;
}

/* The class a target stands for: its index, or the largest of a distribution. */
static size_t target_class(const tally *t, size_t width)
{
    if (t->data->classes) return (size_t)t->data->classes[t->sample];
    if (t->data->target_width != width) return (size_t)t->data->targets[t->sample];
    return arg_max(&t->data->targets[t->sample * width], width);
}

static void tally_row(tally *t, const float *row, size_t width)
{
    if (t->classes) {
        t->right += arg_max(row, width) == target_class(t, width);
        return;
    }
    for (size_t i = 0; i < width; i++) {
        const double wanted = target(t, t->sample, i), error = (double)row[i] - wanted;
        t->right += (row[i] > t->threshold) == (wanted > 0.5);
        t->square += error * error;
        t->absolute += fabs(error);
        t->sums[i] += wanted;
        t->squares[i] += wanted * wanted;
    }
}

static tonnx_status tally_rows(void *user, const float *values, size_t count, size_t width)
{
    tally *t = user;
    for (size_t n = 0; n < count; n++, t->sample++) tally_row(t, &values[n * width], width);
    return TONNX_OK;
}

/* mse, mae, and r² = 1 − Σ(y − t)²/Σ(t − t̄)², t̄ per output. */
static void finish_numbers(tonnx_metrics *out, const tally *t, size_t width)
{
    const double samples = (double)out->samples, elements = samples * (double)width;
    double spread = 0;
    for (size_t i = 0; i < width; i++) spread += t->squares[i] - t->sums[i] * t->sums[i] / samples;
    out->mse = t->square / elements;
    out->mae = t->absolute / elements;
    out->r2 = spread > 0 ? 1 - t->square / spread : NAN;
}

tonnx_status tonnx__measure(tonnx_metrics *out, tonnx__sweep *sweep, const tonnx_dataset *data, const tonnx__goal *goal)
{
    const size_t width = sweep->width;
    tally t = { .data = data,
                .classes = goal->loss == TONNX_CROSS_ENTROPY || goal->loss == TONNX_NLL,
                .binary = goal->loss == TONNX_BCE,
                .threshold = goal->loss_value == sweep->output ? 0.0f : 0.5f /* a logit, or a probability */ };
    *out = (tonnx_metrics){ goal->loss, data->samples, NAN, NAN, NAN, NAN, NAN };
    tonnx_status status = tonnx__alloc(&t.sums, width, sizeof *t.sums);
    if (!status) status = tonnx__alloc(&t.squares, width, sizeof *t.squares);
    if (!status) status = tonnx__sweep_run(sweep, tally_rows, &t, &out->loss);
    if (!status && (t.classes || t.binary))
        out->accuracy = (double)t.right / (double)data->samples / (t.classes ? 1 : (double)width);
    else if (!status) finish_numbers(out, &t, width);
    tonnx__free(t.sums);
    tonnx__free(t.squares);
    return status;
}
