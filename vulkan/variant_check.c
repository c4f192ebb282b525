/* Before a variant is believed, it multiplies: on its first use on a device and driver, for factors that lie as these do,
 * more than a tile of them in each direction and, where they may, with odd sizes. Drivers have compiled such shaders wrong. */
#include "runtime/rng_impl.h"
#include "vulkan/variant_impl.h"

static const double NMSE_BOUND = 1e-7; /* of products; a right one is at 1e-14 */

/* A buffer of WORK; one that may be read by fours begins at a multiple of four, another does not. */
static tonnx_status add_buffer(tonnx__program *program, int *out, const char *name, size_t rows, size_t cols, bool wide)
{
    size_t *end = &program->arena_size[TONNX__ARENA_WORK];
    const size_t at = (*end + 3) / 4 * 4 + !wide;
    const tonnx_status status = tonnx__program_buffer(program, out, name, TONNX__ARENA_WORK, rows, cols);
    if (status) return status;
    program->buffers[*out].offset = at;
    *end = at + rows * cols;
    return TONNX_OK;
}

static tonnx_status add_product(tonnx__vk_bench *bench, const tonnx__vk_product *p)
{
    const bool trans_a = p->lie & TONNX__VK_TRANS_A, trans_b = p->lie & TONNX__VK_TRANS_B;
    tonnx__program *program = bench->program;
    tonnx__instruction *code = NULL;
    tonnx_status status = add_buffer(program, &bench->a, "a", trans_a ? p->k : p->m, trans_a ? p->m : p->k,
                                     p->lie & TONNX__VK_WIDE_A);
    if (!status)
        status = add_buffer(program, &bench->b, "b", trans_b ? p->n : p->k, trans_b ? p->k : p->n,
                            p->lie & TONNX__VK_WIDE_B);
    if (!status) status = add_buffer(program, &bench->c, "c", p->m, p->n, true);
    if (!status) status = tonnx__program_add(program, &code, TONNX__GEMM);
    if (status) return status;
    code->in[0] = bench->a;
    code->in[1] = bench->b;
    code->out[0] = bench->c;
    code->flags = (trans_a ? TONNX__TRANS_A : 0u) | (trans_b ? TONNX__TRANS_B : 0u);
    return TONNX_OK;
}

tonnx_status tonnx__vk_bench_open(tonnx__vk_bench *bench, tonnx__vk *vk, const tonnx__vk_product *p, size_t row)
{
    const size_t none[TONNX__STATE_ARENAS] = { 0 };
    const uint32_t before = vk->forced;
    *bench = (tonnx__vk_bench){ 0 };
    tonnx_status status = tonnx__alloc(&bench->program, 1, sizeof *bench->program);
    if (!status) {
        bench->program->rows = p->m;
        bench->program->output = -1;
        status = add_product(bench, p);
    }
    if (!status) status = tonnx__vk_state_new(&vk->base, none, &bench->state);
    vk->forced = (uint32_t)row + 1;
    if (!status) status = tonnx__vk_exec_new(bench->state, bench->program, &bench->exec);
    vk->forced = before;
    if (status) tonnx__vk_bench_close(bench);
    return status;
}

void tonnx__vk_bench_close(tonnx__vk_bench *bench)
{
    if (bench->exec) tonnx__vk_exec_free(bench->exec);
    if (bench->state) tonnx__vk_state_free(bench->state);
    tonnx__program_free(bench->program);
    *bench = (tonnx__vk_bench){ 0 };
}

/* The lengths of a trial: more than one tile of the variant, by fours where they have to be; more than one slice. */
static tonnx__vk_product trial_of(const tonnx__vk_variant *v, uint32_t lie)
{
    const size_t more = lie & (TONNX__VK_WIDE_A | TONNX__VK_WIDE_B) ? 4 : 5;
    const size_t depth = lie & TONNX__VK_SLICED ? 2048 : 2 * (size_t)v->bk;
    tonnx__vk_product p = { v->bm + more, v->bn + more, depth + 4 * more, lie % TONNX__VK_LIES, false, 0, 0 };
    tonnx__vk_slice(&p);
    return p;
}

/* Σ (c − A·B)², and of (A·B)² into *size; in double. */
static double error_of(const tonnx__vk_bench *bench, const tonnx__vk_product *p, const float *work, double *size)
{
    const tonnx__buffer *buffers = bench->program->buffers;
    const float *a = work + buffers[bench->a].offset, *b = work + buffers[bench->b].offset;
    const float *c = work + buffers[bench->c].offset;
    double error = *size = 0.0;
    for (size_t m = 0; m < p->m; m++)
        for (size_t n = 0; n < p->n; n++) {
            double sum = 0.0;
            for (size_t k = 0; k < p->k; k++)
                sum += (double)a[p->lie & TONNX__VK_TRANS_A ? k * p->m + m : m * p->k + k] *
                       (double)b[p->lie & TONNX__VK_TRANS_B ? n * p->k + k : k * p->n + n];
            error += ((double)c[m * p->n + n] - sum) * ((double)c[m * p->n + n] - sum);
            *size += sum * sum;
        }
    return error;
}

/* `work` has the factors, and holds the product afterwards. */
static tonnx_status multiply(const tonnx__vk_bench *bench, float *work, size_t count)
{
    const tonnx__record record = { .rows = bench->program->rows, .step = 1 };
    tonnx_status status = tonnx__vk_work_write(bench->exec, 0, count, work, TONNX__F32);
    if (!status) status = tonnx__vk_run(bench->exec, NULL, NULL, &record, 1);
    return status ? status : tonnx__vk_work_read(bench->exec, 0, count, work, TONNX__F32);
}

static tonnx_status try_variant(tonnx__vk *vk, size_t row, uint32_t lie, bool *right)
{
    const tonnx__vk_product p = trial_of(tonnx__vk_variant_row(row), lie);
    tonnx__vk_bench bench;
    float *work = NULL;
    double size = 0.0;
    *right = false;
    tonnx_status status = tonnx__vk_bench_open(&bench, vk, &p, row);
    const size_t count = status ? 0 : bench.program->arena_size[TONNX__ARENA_WORK];
    if (!status) status = tonnx__alloc(&work, count, sizeof *work);
    for (size_t i = 0; i < count && !status; i++) work[i] = (float)(2.0 * tonnx__rng_uniform(row, lie, i) - 1.0);
    if (!status) status = multiply(&bench, work, count);
    if (!status) *right = error_of(&bench, &p, work, &size) <= NMSE_BOUND * size; /* NaN is not */
    tonnx__free(work);
    tonnx__vk_bench_close(&bench);
    return status;
}

tonnx_status tonnx__vk_variant_is_right(tonnx__vk *vk, size_t row, uint32_t lie, bool *right)
{
    *right = vk->choices.right[row] >> lie & 1;
    if (*right || vk->choices.wrong[row]) return TONNX_OK;
    const tonnx_status status = try_variant(vk, row, lie, right);
    if (status == TONNX_NO_MEMORY || vk->lost) return status;
    if (*right) vk->choices.right[row] |= 1u << lie;
    vk->choices.wrong[row] = !*right;
    if (!*right)
        tonnx__say(&vk->log, TONNX_LOG_WARNING,
                   "vulkan: %s with its driver %s multiplies wrong by %s: another variant is used from now on",
                   vk->card.properties.deviceName, vk->card.driver.driverInfo, tonnx__vk_variant_row(row)->name);
    return TONNX_OK;
}
