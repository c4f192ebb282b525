#include "runtime/cpu/cpu_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_THREADS = 1024 };

/* "AMD EPYC 9B45" from the first lines of /proc/cpuinfo; what has no such line is a "CPU". */
static void cpu_model(char *model, size_t size)
{
    char text[4096];
    const int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0) close(fd);
    const char *line = strstr(text, "model name"), *name = line ? strchr(line, ':') : NULL;
    if (name) name += 1 + strspn(name + 1, " ");
    if (name && *name) snprintf(model, size, "%.*s", (int)strcspn(name, "\n"), name);
    else snprintf(model, size, "CPU");
}

static int best_isa(void)
{
    int best = 0;
    for (int isa = 0; isa < tonnx__isa_count(); isa++)
        if (tonnx__isa_runs(isa)) best = isa;
    return best;
}

static void describe(char *text, size_t size, const tonnx__kernels *kernels, int threads)
{
    char model[96];
    cpu_model(model, sizeof model);
    const bool bf16 = kernels->packed->unit < sizeof(float);
    snprintf(text, size, "%s, %s%s%s, %d thread%s", model, kernels->name, bf16 ? ", products in " : "",
             bf16 ? kernels->packed->name : "", threads, threads == 1 ? "" : "s");
}

static tonnx_status cpu_devices(void (*visit)(void *user, const tonnx_device_info *info), void *user)
{
    char device[192], detail[96];
    const tonnx__packed_kernels *bf16 = tonnx__bf16_kernels(0);
    describe(device, sizeof device, tonnx__isa_kernels(best_isa()), tonnx__cpu_count());
    snprintf(detail, sizeof detail, "--precision bf16: %s", bf16 ? bf16->name : "no, the CPU has neither AMX-BF16 nor AVX512-BF16");
    visit(user, &(tonnx_device_info){ "cpu", device, detail });
    return TONNX_OK;
}

static void cpu_close(tonnx__backend *backend)
{
    tonnx__cpu *cpu = (tonnx__cpu *)backend;
    tonnx__pool_free(cpu->pool);
    tonnx__free(cpu);
}

/* All products in bf16: the one place where that is chosen. */
static tonnx_status choose_bf16(tonnx__kernels *kernels)
{
    kernels->packed = tonnx__bf16_kernels(0);
    kernels->gemm = NULL; /* numbers are rounded where they are packed, so all are */
    return kernels->packed ? TONNX_OK
                           : tonnx__fail(TONNX_BAD_DEVICE, "this CPU has neither AMX-BF16 nor AVX512-BF16, so no products in "
                                                           "bf16: give --precision fp32");
}

tonnx_status tonnx__cpu_open_isa(tonnx__backend **out, const tonnx__backend_options *options, int isa)
{
    tonnx__cpu *cpu = NULL;
    const int threads = options->threads ? options->threads : tonnx__cpu_count();
    *out = NULL;
    if (threads > MOST_THREADS) return tonnx__fail(TONNX_BAD_USAGE, "%d threads: at most %d", threads, MOST_THREADS);
    tonnx_status status = tonnx__alloc(&cpu, 1, sizeof *cpu);
    if (status) return status;
    cpu->base.kind = &tonnx__backend_cpu;
    cpu->free_choice = options->threads == 0;
    cpu->kernels = *tonnx__isa_kernels(isa < 0 ? best_isa() : isa);
    cpu->kernels.second_cache = tonnx__second_cache();
    if (options->precision == TONNX_BF16) status = choose_bf16(&cpu->kernels);
    if (!status) describe(cpu->device, sizeof cpu->device, &cpu->kernels, threads);
    if (!status) status = tonnx__pool_new(&cpu->pool, threads);
    if (status) cpu_close(&cpu->base);
    else *out = &cpu->base;
    return status;
}

static tonnx_status cpu_open(tonnx__backend **out, const tonnx__backend_options *options)
{
    return tonnx__cpu_open_isa(out, options, -1);
}

static const char *cpu_device(const tonnx__backend *backend)
{
    return ((const tonnx__cpu *)backend)->device;
}

static void cpu_state_free(tonnx__device_state *base)
{
    tonnx__cpu_state *state = (tonnx__cpu_state *)base;
    tonnx__free(state->block);
    tonnx__free(state);
}

/* Floats of an arena in the state's block, up to whole lines. */
static size_t room_of(size_t size)
{
    enum { FLOATS = TONNX__ALIGN / sizeof(float) };
    return tonnx__parts(size, FLOATS) * FLOATS;
}

/* One block for all arenas: small ones share a huge page. */
static tonnx_status make_arenas(tonnx__cpu_state *state, const size_t *sizes)
{
    size_t total = 0;
    for (int a = 0; a < TONNX__STATE_ARENAS; a++) tonnx__add(&total, total, room_of(sizes[a])); /* too much stays too much */
    const tonnx_status status = tonnx__alloc_aligned(&state->block, total, sizeof(float));
    float *at = state->block;
    for (int a = 0; a < TONNX__STATE_ARENAS && !status; a++) {
        state->arenas[a] = at;
        at += room_of(sizes[a]);
    }
    return status;
}

static tonnx_status cpu_state_new(tonnx__backend *backend, const size_t *sizes, tonnx__device_state **out)
{
    tonnx__cpu_state *state = NULL;
    tonnx_status status = tonnx__alloc(&state, 1, sizeof *state);
    if (status) return status;
    state->base.backend = backend;
    status = make_arenas(state, sizes);
    if (status) cpu_state_free(&state->base);
    else *out = &state->base;
    return status;
}

static tonnx_status cpu_state_write(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                    const void *from, tonnx__numbers numbers)
{
    tonnx__cpu_copy_in(((tonnx__cpu_state *)state)->arenas[arena] + offset, from, count, numbers);
    return TONNX_OK;
}

static tonnx_status cpu_state_read(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                   void *to, tonnx__numbers numbers)
{
    tonnx__cpu_copy_out(to, ((tonnx__cpu_state *)state)->arenas[arena] + offset, count, numbers);
    return TONNX_OK;
}

/* A run has ended when it returns. */
static tonnx_status cpu_finish(tonnx__backend *backend)
{
    (void)backend;
    return TONNX_OK;
}

const tonnx__backend_kind tonnx__backend_cpu = {
    .name = "cpu",
    .numbers = TONNX__F32,
    .bf16 = true,
    .devices = cpu_devices,
    .open = cpu_open,
    .close = cpu_close,
    .device = cpu_device,
    .state_new = cpu_state_new,
    .state_free = cpu_state_free,
    .state_write = cpu_state_write,
    .state_read = cpu_state_read,
    .exec_new = tonnx__cpu_exec_new,
    .exec_free = tonnx__cpu_exec_free,
    .run = tonnx__cpu_run,
    .results = tonnx__cpu_results,
    .work_write = tonnx__cpu_work_write,
    .work_read = tonnx__cpu_work_read,
    .finish = cpu_finish,
    .profile = tonnx__cpu_profile,
    .plan = tonnx__cpu_plan,
    .tune = tonnx__nothing_to_tune,
};
