#include "runtime/ref/ref_impl.h"

#include <string.h>

#include "runtime/clock_impl.h"

typedef struct ref_state {
    tonnx__device_state base;
    double *arenas[TONNX__STATE_ARENAS];
} ref_state;

typedef struct ref_exec {
    tonnx__exec base;
    double *work;
    tonnx__spent *spent; /* NULL: nobody asks */
    double results[TONNX__MAX_STEPS][TONNX__RESULTS];
} ref_exec;

static void (*const kernels[TONNX__KINDS])(const tonnx__ref_call *call) = {
#define TONNX_KIND(id, name, inputs, outputs) tonnx__ref_##id,
#include "runtime/kinds.def"
#undef TONNX_KIND
};

static tonnx_status ref_devices(void (*visit)(void *user, const tonnx_device_info *info), void *user)
{
    visit(user, &(tonnx_device_info){ "reference", "naive loops in double", "the judge of the others; slow" });
    return TONNX_OK;
}

static tonnx_status ref_open(tonnx__backend **out, const tonnx__backend_options *options)
{
    (void)options;
    const tonnx_status status = tonnx__alloc(out, 1, sizeof **out);
    if (!status) (*out)->kind = &tonnx__backend_reference;
    return status;
}

static void ref_close(tonnx__backend *backend)
{
    tonnx__free(backend);
}

static const char *ref_device(const tonnx__backend *backend)
{
    (void)backend;
    return "naive loops in double";
}

static void ref_state_free(tonnx__device_state *base)
{
    ref_state *state = (ref_state *)base;
    for (int a = 0; a < TONNX__STATE_ARENAS; a++) tonnx__free(state->arenas[a]);
    tonnx__free(state);
}

static tonnx_status ref_state_new(tonnx__backend *backend, const size_t *sizes, tonnx__device_state **out)
{
    ref_state *state = NULL;
    tonnx_status status = tonnx__alloc(&state, 1, sizeof *state);
    if (status) return status;
    state->base.backend = backend;
    for (int a = 0; a < TONNX__STATE_ARENAS && !status; a++)
        status = tonnx__alloc(&state->arenas[a], sizes[a], sizeof(double));
    if (status) ref_state_free(&state->base);
    else *out = &state->base;
    return status;
}

static void copy_in(double *to, const void *from, size_t count, tonnx__numbers numbers)
{
    if (numbers == TONNX__F64) memcpy(to, from, count * sizeof *to);
    else
        for (size_t i = 0; i < count; i++) {
            float value;
            memcpy(&value, (const unsigned char *)from + i * sizeof value, sizeof value); /* may lie at any address */
            to[i] = value;
        }
}

static void copy_out(void *to, const double *from, size_t count, tonnx__numbers numbers)
{
    for (size_t i = 0; i < count; i++)
        if (numbers == TONNX__F32) ((float *)to)[i] = (float)from[i];
        else ((double *)to)[i] = from[i];
}

static tonnx_status ref_state_write(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                    const void *from, tonnx__numbers numbers)
{
    copy_in(((ref_state *)state)->arenas[arena] + offset, from, count, numbers);
    return TONNX_OK;
}

static tonnx_status ref_state_read(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                   void *to, tonnx__numbers numbers)
{
    copy_out(to, ((ref_state *)state)->arenas[arena] + offset, count, numbers);
    return TONNX_OK;
}

static void ref_exec_free(tonnx__exec *base)
{
    ref_exec *exec = (ref_exec *)base;
    tonnx__free(exec->work);
    tonnx__free(exec);
}

static tonnx_status ref_exec_new(tonnx__device_state *state, const tonnx__program *program, tonnx__exec **out)
{
    ref_exec *exec = NULL;
    tonnx_status status = tonnx__alloc(&exec, 1, sizeof *exec);
    if (status) return status;
    exec->base = (tonnx__exec){ state, program };
    status = tonnx__alloc(&exec->work, program->arena_size[TONNX__ARENA_WORK], sizeof(double));
    if (status) ref_exec_free(&exec->base);
    else *out = &exec->base;
    return status;
}

/* The operand that a slot names, in whichever arena it lies. */
static tonnx__matrix matrix(ref_exec *exec, int index, size_t step)
{
    if (index < 0) return (tonnx__matrix){ 0 };
    const tonnx__buffer *b = &exec->base.program->buffers[index];
    double *arena = b->arena == TONNX__ARENA_WORK     ? exec->work
                    : b->arena == TONNX__ARENA_RESULT ? exec->results[step]
                                                      : ((ref_state *)exec->base.state)->arenas[b->arena];
    return (tonnx__matrix){ arena + b->offset, b->rows, b->cols };
}

static void count_call(tonnx__spent *spent, double seconds)
{
    spent->calls++;
    spent->tiles = 1;
    spent->seconds += seconds;
}

static tonnx_status ref_run(tonnx__exec *base, const tonnx__feed *feed, const uint32_t *order,
                            const tonnx__record *records, size_t count)
{
    ref_exec *exec = (ref_exec *)base;
    memset(exec->results, 0, sizeof exec->results);
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < base->program->code_count; i++) {
            const tonnx__instruction *code = &base->program->code[i];
            tonnx__ref_call call = { .code = code, .feed = feed, .order = order, .record = &records[s] };
            call.seed = base->program->seed;
            call.backend = base->state->backend;
            for (int k = 0; k < TONNX__MAX_IN; k++) call.in[k] = matrix(exec, code->in[k], s);
            for (int k = 0; k < TONNX__MAX_OUT; k++) call.out[k] = matrix(exec, code->out[k], s);
            const double begin = exec->spent ? tonnx__now() : 0;
            kernels[code->kind](&call);
            if (exec->spent) count_call(&exec->spent[i], tonnx__now() - begin);
            if (tonnx__backend_stopped(base->state->backend)) return tonnx__abandoned();
        }
    return TONNX_OK;
}

static tonnx_status ref_profile(tonnx__exec *exec, tonnx__spent *spent, tonnx__handing *handing)
{
    (void)handing;
    ((ref_exec *)exec)->spent = spent;
    return TONNX_OK;
}

static tonnx_status ref_plan(tonnx__exec *exec, const tonnx__feed *feed, void (*line)(void *user, const char *text),
                             void *user)
{
    char text[TONNX__INSTRUCTION_TEXT];
    (void)feed;
    line(user, "naive loops in double: an instruction after the other");
    tonnx__program_memory(exec->program, sizeof(double), text);
    line(user, text);
    return TONNX_OK;
}

static tonnx_status ref_results(tonnx__exec *exec, size_t count, double *to)
{
    memcpy(to, ((ref_exec *)exec)->results, count * sizeof((ref_exec *)exec)->results[0]);
    return TONNX_OK;
}

static tonnx_status ref_work_write(tonnx__exec *exec, size_t offset, size_t count, const void *from,
                                   tonnx__numbers numbers)
{
    copy_in(((ref_exec *)exec)->work + offset, from, count, numbers);
    return TONNX_OK;
}

static tonnx_status ref_work_read(tonnx__exec *exec, size_t offset, size_t count, void *to, tonnx__numbers numbers)
{
    copy_out(to, ((ref_exec *)exec)->work + offset, count, numbers);
    return TONNX_OK;
}

static tonnx_status ref_finish(tonnx__backend *backend)
{
    (void)backend;
    return TONNX_OK;
}

const tonnx__backend_kind tonnx__backend_reference = {
    .name = "reference",
    .numbers = TONNX__F64,
    .devices = ref_devices,
    .open = ref_open,
    .close = ref_close,
    .device = ref_device,
    .state_new = ref_state_new,
    .state_free = ref_state_free,
    .state_write = ref_state_write,
    .state_read = ref_state_read,
    .exec_new = ref_exec_new,
    .exec_free = ref_exec_free,
    .run = ref_run,
    .results = ref_results,
    .work_write = ref_work_write,
    .work_read = ref_work_read,
    .finish = ref_finish,
    .profile = ref_profile,
    .plan = ref_plan,
    .tune = tonnx__nothing_to_tune,
};
