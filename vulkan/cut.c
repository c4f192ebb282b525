/* From instructions to dispatches: what all kinds share. Work is cut by shapes and the device's limits alone. */
#include "vulkan/cut_impl.h"

enum { LOCAL = 64 }; /* invocations of a workgroup where a shader has no wish of its own; every device has 128 */

static tonnx__vk_cutter *const cutters[TONNX__KINDS] = {
#define TONNX_CUT(id) [TONNX__##id] = tonnx__vk_cut_##id,
#include "vulkan/cuts.def"
#undef TONNX_CUT
};

tonnx__vk_cutter *tonnx__vk_cutter_of(tonnx__kind kind)
{
    return cutters[kind];
}

/* Shaders know an activation by the line of its row, which both languages count alike. */
uint32_t tonnx__vk_act(int op)
{
    static const uint32_t lines[] = {
#define TONNX_ACTIVATION(id, op, since, a, a0, b, b0, gain, below, above, keeps) [TONNX_ACT_##id] = __LINE__,
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
    };
    return op < 0 ? 0 : lines[op];
}

tonnx__vk_operand tonnx__vk_operand_of(tonnx__vk_exec *exec, int index)
{
    if (index < 0) return (tonnx__vk_operand){ 0 };
    const tonnx__buffer *b = &exec->base.program->buffers[index];
    const tonnx__vk_state *state = (const tonnx__vk_state *)exec->base.state;
    const bool result = b->arena == TONNX__ARENA_RESULT;
    const tonnx__vk_buffer *buffer = result                          ? &exec->results
                                     : b->arena == TONNX__ARENA_WORK ? &exec->work
                                                                     : &state->arenas[b->arena];
    return (tonnx__vk_operand){ buffer, b->offset, b->rows, b->cols, result };
}

void tonnx__vk_cut_open(tonnx__vk_cut *cut)
{
    cut->code = &cut->exec->base.program->code[cut->index];
    for (int k = 0; k < TONNX__MAX_IN; k++) cut->in[k] = tonnx__vk_operand_of(cut->exec, cut->code->in[k]);
    for (int k = 0; k < TONNX__MAX_OUT; k++) cut->out[k] = tonnx__vk_operand_of(cut->exec, cut->code->out[k]);
}

tonnx__vk_operand tonnx__vk_rows_of(tonnx__vk_operand operand, size_t from, size_t rows)
{
    operand.at += from * operand.cols;
    operand.rows = rows;
    return operand;
}

tonnx__vk_operand tonnx__vk_flat(tonnx__vk_operand operand)
{
    operand.rows *= operand.cols;
    operand.cols = 1;
    return operand;
}

tonnx__vk_operand tonnx__vk_scratch(tonnx__vk_cut *cut, size_t rows, size_t cols)
{
    const tonnx__vk_operand operand = { &cut->exec->scratch, cut->exec->scratch_size, rows, cols, false };
    cut->exec->scratch_size += (rows * cols + 63) / 64 * 64;
    return operand;
}

tonnx__vk_dispatch tonnx__vk_begin(const tonnx__vk_cut *cut, tonnx__vk_shader shader)
{
    tonnx__vk_dispatch d = { .shader = shader, .specs = { LOCAL }, .code = cut->index };
    if (cut->code->flags & TONNX__ACC0) d.push.flags |= TONNX__VK_ACC0;
    if (cut->code->flags & TONNX__ACC1) d.push.flags |= TONNX__VK_ACC1;
    return d;
}

void tonnx__vk_takes(tonnx__vk_dispatch *d, tonnx__vk_operand operand)
{
    const uint32_t k = d->operand_count++;
    d->operands[k] = operand;
    if (!operand.buffer) return;
    d->push.flags |= 1u << (TONNX__VK_HAS + k);
    if (operand.cols == 1) d->push.flags |= 1u << (TONNX__VK_ONE_COL + k);
    if (operand.rows == 1) d->push.u[TONNX__VK_U_ONE_ROW] |= 1u << k;
    if (operand.result) d->push.u[TONNX__VK_U_RESULTS] |= 1u << k;
}

void tonnx__vk_gives(tonnx__vk_dispatch *d, tonnx__vk_operand operand)
{
    if (operand.buffer) d->written |= 1u << d->operand_count;
    tonnx__vk_takes(d, operand);
}

void tonnx__vk_takes_clock(tonnx__vk_cut *cut, tonnx__vk_dispatch *d)
{
    const size_t words = sizeof(tonnx__vk_clock) / sizeof(float);
    tonnx__vk_takes(d, (tonnx__vk_operand){ &cut->exec->clock, 0, words, 1, false });
}

size_t tonnx__vk_span(tonnx__vk_cut *cut, size_t rows, size_t cols, size_t unit)
{
    const size_t room = (cut->vk->limits.range - cut->vk->limits.align) / sizeof(float);
    if (rows * cols <= room) return rows;
    const size_t most = room / cols / unit * unit;
    if (most || cut->status) return most ? most : rows;
    cut->status = tonnx__fail(TONNX_BAD_DEVICE,
                              "vulkan: %s: %zu rows of %zu elements are more than one binding of %s spans (%.0f MiB)",
                              tonnx__kind_name(cut->code->kind), unit, cols, cut->vk->card.properties.deviceName,
                              (double)cut->vk->limits.range / 1048576.0);
    return rows;
}

/* The binding's window: whole operand, from an aligned start. */
static void open_window(tonnx__vk_cut *cut, tonnx__vk_dispatch *d, uint32_t k)
{
    const tonnx__vk_operand *o = &d->operands[k];
    const size_t align = cut->vk->limits.align, from = o->at * sizeof(float), start = from / align * align;
    const size_t count = o->result ? TONNX__MAX_STEPS * TONNX__RESULTS : o->rows * o->cols;
    d->windows[k] = (tonnx__vk_window){ o->buffer, start, from - start + count * sizeof(float), d->written >> k & 1 };
    if (o->result) d->windows[k] = (tonnx__vk_window){ o->buffer, 0, count * sizeof(float), d->written >> k & 1 };
    d->push.at[k] = (uint32_t)((from - d->windows[k].offset) / sizeof(float));
    if (d->windows[k].bytes <= cut->vk->limits.range || cut->status) return;
    cut->status = tonnx__fail(TONNX_BAD_DEVICE,
                              "vulkan: %s: an operand [%zu,%zu] is more than one binding of %s spans (%.0f MiB)",
                              tonnx__kind_name(cut->code->kind), o->rows, o->cols, cut->vk->card.properties.deviceName,
                              (double)cut->vk->limits.range / 1048576.0);
}

/* An empty slot still wants something bound: what the dispatch writes anyway, so that no new dependence arises. */
static void fill_empty(tonnx__vk_dispatch *d)
{
    uint32_t k = 0;
    while (!(d->written >> k & 1)) k++;
    for (uint32_t i = 0; i < d->operand_count; i++)
        if (!d->windows[i].buffer) d->windows[i] = d->windows[k];
}

void tonnx__vk_emit(tonnx__vk_cut *cut, const tonnx__vk_dispatch *d, size_t groups_x, size_t groups_y)
{
    tonnx__vk_exec *exec = cut->exec;
    if (!cut->status) cut->status = tonnx__grow(&exec->list, &exec->room, exec->count + 1, sizeof *exec->list);
    if (cut->status) return;
    tonnx__vk_dispatch *to = &exec->list[exec->count++];
    *to = *d;
    for (uint32_t k = 0; k < d->operand_count; k++)
        if (d->operands[k].buffer) open_window(cut, to, k);
    fill_empty(to);
    to->push.u[TONNX__VK_U_ONE_ROW] |= (uint32_t)groups_x << TONNX__VK_ACROSS;
    to->groups[0] = (uint32_t)groups_x;
    to->groups[1] = (uint32_t)groups_y;
    to->groups[2] = 1;
    if ((groups_x > cut->vk->limits.groups || groups_y > cut->vk->limits.groups) && !cut->status)
        cut->status = tonnx__fail(TONNX_BAD_DEVICE, "vulkan: %s: %zu by %zu workgroups are more than the device takes",
                                  tonnx__kind_name(cut->code->kind), groups_x, groups_y);
}

/* `count` invocations in a row, folded where there are more workgroups than go side by side. */
static void emit_line(tonnx__vk_cut *cut, const tonnx__vk_dispatch *d, size_t count)
{
    const size_t groups = (count + d->specs[0] - 1) / d->specs[0], most = cut->vk->limits.groups;
    const size_t across = groups < most ? groups : most;
    tonnx__vk_emit(cut, d, across, (groups + across - 1) / across);
}

void tonnx__vk_emit_rows(tonnx__vk_cut *cut, const tonnx__vk_dispatch *d, size_t rows, size_t cols, size_t per_row)
{
    const size_t at_once = tonnx__vk_span(cut, rows, cols, 1);
    for (size_t from = 0; from < rows && !cut->status; from += at_once) {
        const size_t here = rows - from < at_once ? rows - from : at_once;
        tonnx__vk_dispatch part = *d;
        for (uint32_t k = 0; k < d->operand_count; k++)
            if (d->operands[k].rows == rows && rows > 1 && !d->operands[k].result && d->operands[k].buffer &&
                d->operands[k].buffer != &cut->exec->clock)
                part.operands[k] = tonnx__vk_rows_of(d->operands[k], from, here);
        part.push.n = (uint32_t)here;
        part.push.f = (uint32_t)cols;
        part.push.u[TONNX__VK_U_ROW] = (uint32_t)from;
        emit_line(cut, &part, here * per_row);
    }
}
