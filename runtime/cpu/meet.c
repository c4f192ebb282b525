/* Where threads meet. A thread's share of a task is a run of tiles, and a run of tiles touches a rectangle of each
 * operand. Threads meet before a task only where some thread's share of it touches what another thread's share of a
 * task since they last met has written, or writes what it has touched. So where features have owners, only activations
 * cross threads. */
#include "runtime/cpu/cpu_impl.h"

/* Rows × columns of a matrix whose rows are `stride` apart. */
typedef struct patch {
    const float *at;
    size_t stride;
    tonnx__span rows, cols;
} patch;

static bool meets(tonnx__span a, tonnx__span b)
{
    return a.from < b.to && b.from < a.to;
}

/* The first element and the one behind the last. */
static const float *begin(const patch *p)
{
    return p->at + p->rows.from * p->stride + p->cols.from;
}

static const float *end(const patch *p)
{
    return p->at + (p->rows.to - 1) * p->stride + p->cols.to;
}

/* Rectangles of one matrix are compared as such, those of different ones by the memory between their ends. */
static bool overlap(const patch *a, const patch *b)
{
    if (a->rows.from >= a->rows.to || b->rows.from >= b->rows.to) return false;
    if (a->at == b->at && a->stride == b->stride) return meets(a->rows, b->rows) && meets(a->cols, b->cols);
    return begin(a) < end(b) && begin(b) < end(a);
}

/* The rectangle around a run of tiles. */
static void around(const tonnx__cpu_task *task, tonnx__span tiles, tonnx__span *rows, tonnx__span *cols)
{
    const size_t first = tiles.from / task->across, last = (tiles.to - 1) / task->across;
    *rows = (tonnx__span){ first * task->tall, (last + 1) * task->tall };
    *cols = (tonnx__span){ 0, task->cols };
    if (first == last)
        *cols =
            (tonnx__span){ tiles.from % task->across * task->wide, ((tiles.to - 1) % task->across + 1) * task->wide };
}

/* What operand `slot` of a product has along its rows and columns: the grid's rows, its columns, or neither. */
typedef enum axis { ALL, DOWN, ACROSS } axis;

static void axes_of_product(const tonnx__cpu_task *task, bool out, int slot, axis *rows, axis *cols)
{
    const bool ta = task->code->flags & TONNX__TRANS_A, tb = task->code->flags & TONNX__TRANS_B;
    const bool sums = out && slot >= (task->code->kind == TONNX__GEMM ? 2 : 3);
    *rows = DOWN, *cols = ACROSS;
    if (sums) *rows = ALL, *cols = DOWN;
    if (out) return;
    if (slot == 0) *rows = ta ? ALL : DOWN, *cols = ta ? DOWN : ALL;
    if (slot == 1) *rows = tb ? ACROSS : ALL, *cols = tb ? ALL : ACROSS;
    if (slot == 2 || slot == 5) *rows = ALL;
}

static void axes_of(const tonnx__cpu_task *task, bool out, int slot, axis *rows, axis *cols)
{
    const tonnx__cpu_operand *of = out ? &task->out[slot] : &task->in[slot];
    *rows = *cols = ALL;
    if (task->reach == TONNX__REACH_PRODUCT) axes_of_product(task, out, slot, rows, cols);
    if (task->reach == TONNX__REACH_PLACE) {
        if (of->rows == task->rows) *rows = DOWN;
        if (of->cols == task->cols) *cols = ACROSS;
    }
}

/* The part of `size` that a span of an axis is; all of it where the operand has but one (it is broadcast). */
static tonnx__span along(axis by, tonnx__span down, tonnx__span across, size_t size)
{
    const tonnx__span part = by == DOWN ? down : across;
    if (by == ALL || size == 1) return (tonnx__span){ 0, size };
    return (tonnx__span){ part.from, part.to < size ? part.to : size };
}

/* What a run of tiles touches of an operand; empty where there is none. */
static patch touched(const tonnx__cpu_task *task, bool out, int slot, tonnx__span tiles)
{
    const tonnx__cpu_operand *of = out ? &task->out[slot] : &task->in[slot];
    tonnx__span down, across;
    axis rows, cols;
    if (!of->at || tiles.from >= tiles.to) return (patch){ 0 };
    around(task, tiles, &down, &across);
    axes_of(task, out, slot, &rows, &cols);
    return (patch){ of->at, of->cols, along(rows, down, across, of->rows), along(cols, down, across, of->cols) };
}

/* Whether tiles `x` of a and `y` of b may not run at once: one writes what the other reads or writes. */
static bool conflict(const tonnx__cpu_task *a, tonnx__span x, const tonnx__cpu_task *b, tonnx__span y)
{
    for (int i = 0; i < TONNX__MAX_OUT; i++) {
        const patch wa = touched(a, true, i, x), wb = touched(b, true, i, y);
        for (int k = 0; k < TONNX__MAX_IN; k++) {
            const patch ra = touched(a, false, k, x), rb = touched(b, false, k, y);
            if (overlap(&wa, &rb) || overlap(&wb, &ra)) return true;
        }
        for (int k = 0; k < TONNX__MAX_OUT; k++) {
            const patch other = touched(b, true, k, y);
            if (overlap(&wa, &other)) return true;
        }
    }
    return false;
}

bool tonnx__tasks_conflict(const tonnx__cpu_task *a, const tonnx__cpu_task *b)
{
    return conflict(a, (tonnx__span){ 0, a->tiles }, b, (tonnx__span){ 0, b->tiles });
}

/* Whether some thread's share of a and another's of b conflict: each share of a beside the tiles of b before and behind
 * the same thread's. */
static bool crosses(const tonnx__cpu_task *a, const tonnx__cpu_task *b, size_t threads)
{
    if (!tonnx__tasks_conflict(a, b)) return false;
    for (size_t t = 0; t < threads; t++) {
        const tonnx__span mine = tonnx__share(a, t, threads), own = tonnx__share(b, t, threads);
        if (mine.from >= mine.to) continue;
        if (conflict(a, mine, b, (tonnx__span){ 0, own.from }) ||
            conflict(a, mine, b, (tonnx__span){ own.to, b->tiles }))
            return true;
    }
    return false;
}

/* One time round the list; *met is the task before which threads last met, counted over all rounds. Returns whether nothing
 * has changed. `keep`: what the round before asked for stays. */
static bool go_round(tonnx__cpu_task *tasks, size_t count, size_t threads, size_t round, size_t *met, bool keep)
{
    bool same = true;
    for (size_t i = round * count; i < (round + 1) * count; i++) {
        tonnx__cpu_task *task = &tasks[i % count];
        bool barrier = keep && task->barrier;
        for (size_t k = i - *met > count ? i - count : *met; k < i && !barrier; k++)
            barrier = crosses(&tasks[k % count], task, threads);
        same = same && barrier == task->barrier;
        task->barrier = barrier;
        if (barrier) *met = i;
    }
    return same;
}

/* Rounds follow each other without a break, so the list is a ring: where threads meet depends on where they met in the round
 * before. It settles as a rule in the second round; else what two rounds ask for is kept, for a meeting too many does no
 * harm. */
void tonnx__place_barriers(tonnx__cpu_task *tasks, size_t count, size_t threads)
{
    enum { ROUNDS = 4 };
    size_t met = 0, round = 0;
    bool settled = threads == 1 || count == 0;
    for (size_t i = 0; i < count; i++) tasks[i].barrier = false;
    for (; !settled && round < ROUNDS; round++) settled = go_round(tasks, count, threads, round, &met, false);
    if (!settled) go_round(tasks, count, threads, round, &met, true);
}

double tonnx__instruction_work(const tonnx__program *program, const tonnx__instruction *code)
{
    const double flops = tonnx__instruction_flops(program, code), byte = 4; /* 25 GB/s beside 100 GFLOP/s */
    return flops > 0 ? flops : byte * tonnx__instruction_bytes(program, code);
}

double tonnx__threads_gain(const tonnx__cpu_task *tasks, size_t count, size_t threads, const tonnx__program *program)
{
    const double meeting = 5e5; /* in FLOP of a product: 5 µs */
    double work = 0, meets = 0;
    for (size_t i = 0; i < count; i++) meets += tasks[i].barrier;
    for (size_t i = 0; i < program->code_count; i++) work += tonnx__instruction_work(program, &program->code[i]);
    return work * (1 - 1 / (double)threads) / (meeting * meets);
}
