/* The CPU backend's inside. A program becomes a list of tasks. A task is an instruction (or one half of it) cut into a
 * grid of tiles that depends on its shapes alone. Every thread walks the same list and does its share of each task's
 * tiles; between tasks that touch the same memory the threads meet at a barrier, where who waits long takes tiles of who is behind.
 * So results do not depend on the number of threads, nor on their speed, and a run of many steps is one dispatch. */
#ifndef TONNX_RUNTIME_CPU_CPU_IMPL_H
#define TONNX_RUNTIME_CPU_CPU_IMPL_H

#include "runtime/backend_impl.h"
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/meter_impl.h"
#include "runtime/cpu/pool_impl.h"

typedef struct tonnx__cpu {
    tonnx__backend base;
    tonnx__pool *pool;
    tonnx__kernels kernels;
    bool free_choice; /* nobody asked for so many threads: a program may run on one */
    char device[192];
} tonnx__cpu;

typedef struct tonnx__cpu_state {
    tonnx__device_state base;
    float *block, *arenas[TONNX__STATE_ARENAS]; /* the arenas lie in the block */
} tonnx__cpu_state;

/* An operand, row-major; `at` is NULL where the slot is empty. A result's `at` is that of the run's step 0. `batch`: the batch's
 * features, which tasks read where the feed has them if they lie there as they are wanted, or in their thread's own copy. */
typedef struct tonnx__cpu_operand {
    float *at;
    size_t rows, cols;
    bool result, batch;
    bool own; /* of the task's two halves alone, what the first hands the second: `at` is the exec's to set */
} tonnx__cpu_operand;

/* Whether it is so large that no core's caches hold it with its like. */
static inline bool tonnx__from_memory(const tonnx__cpu_operand *x)
{
    enum { MANY = 1 << 20 };
    return x->rows * x->cols >= MANY;
}

/* What a step has in common for all tasks. */
typedef struct tonnx__cpu_step {
    const tonnx__feed *feed;
    const uint32_t *order; /* NULL: the feed's own */
    const tonnx__record *record;
    size_t index; /* in the run: the row of the results */
    tonnx__ahead *ahead; /* the thread's; NULL: nothing is asked for within tiles */
} tonnx__cpu_step;

/* Where the feed has a step's batch of `cols` features row behind row, as the floats that are wanted; NULL: it is to be gathered. */
static inline const float *tonnx__batch_in_feed(const tonnx__cpu_step *step, size_t cols)
{
    const tonnx__feed *feed = step->feed;
    return step->order || !feed->x || feed->scale != 1.0 ? NULL : feed->x + step->record->first * cols;
}

typedef struct tonnx__cpu_task tonnx__cpu_task;
typedef void tonnx__cpu_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index);

/* What a tile touches of its task's operands. */
typedef enum tonnx__reach {
    TONNX__REACH_ALL,    /* anything */
    TONNX__REACH_PLACE,  /* of an operand with as many rows (columns) as the grid, the tile's; of others all */
    TONNX__REACH_PRODUCT /* of C = op(A)·op(B) the tile, of op(A) its rows, of op(B) its columns */
} tonnx__reach;

struct tonnx__cpu_task {
    const tonnx__instruction *code;
    const tonnx__kernels *kernels;
    tonnx__cpu_operand in[TONNX__MAX_IN], out[TONNX__MAX_OUT];
    uint64_t seed;
    tonnx__cpu_tile *tile;     /* does tile `index` */
    size_t tiles;              /* tile (i, j) of the grid has index i·across + j */
    size_t rows, cols;         /* of the grid */
    size_t across, tall, wide; /* tiles side by side; a tile's rows and columns (or elements) */
    tonnx__reach reach;
    bool barrier;              /* reads or writes what another thread may have written since the last one */
    bool result;               /* an operand lies in the results, and moves from step to step */
    size_t ahead;              /* lines of a later batch to ask for within each tile, and behind it */
    bool heavy;                /* a tile takes microseconds: threads that wait long do one for who is behind */
    bool by_columns;           /* a norm by columns made what it reads first */
    bool shared;               /* some product of the program is worth several tiles: no thread sits idle anyway */
};

/* Cuts an instruction: fills tile, tiles and the grid of task[0], and of task[1] where it has two halves. */
#define TONNX_KIND(id, name, inputs, outputs) void tonnx__cpu_cut_##id(tonnx__cpu_task task[2]);
#include "runtime/kinds.def"
#undef TONNX_KIND

/* A half-open range of rows, columns or elements. */
typedef struct tonnx__span {
    size_t from, to;
} tonnx__span;

/* Grids. Elements in flat runs; whole rows; rows of the batch, eight or a sixteenth of them to a tile where the program is
 * shared; panels of TONNX__COLUMNS columns of all rows; both rows and columns. */
size_t tonnx__batch_tile(const tonnx__cpu_task *task, size_t rows);
void tonnx__cut_batch(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t rows, size_t cols);
void tonnx__cut_flat(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t count);
void tonnx__cut_rows(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t rows, size_t cols);
void tonnx__cut_columns(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t cols);
void tonnx__cut_grid(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t rows, size_t cols, size_t tall, size_t wide);
tonnx__span tonnx__tile_rows(const tonnx__cpu_task *task, size_t index, size_t rows);
tonnx__span tonnx__tile_columns(const tonnx__cpu_task *task, size_t index, size_t cols);
tonnx__span tonnx__tile_flat(const tonnx__cpu_task *task, size_t index, size_t count);

/* A thread's share of a task's tiles: a contiguous run, the first ones thread 0's, so that a thread meets the same rows
 * and columns again in the next task, and in the next step. The last thread has one more, as the last tile may be cut short. */
static inline tonnx__span tonnx__share(const tonnx__cpu_task *task, size_t thread, size_t threads)
{
    return (tonnx__span){ task->tiles * thread / threads, task->tiles * (thread + 1) / threads };
}

/* What an instruction takes, in FLOP of a product; bytes count as what is multiplied meanwhile. */
double tonnx__instruction_work(const tonnx__program *program, const tonnx__instruction *code);

/* meet.c: before which of a round's tasks the threads must meet (their `barrier`); rounds follow each other without a break. */
void tonnx__place_barriers(tonnx__cpu_task *tasks, size_t count, size_t threads);

/* With barriers placed: what so many threads save of one's work, in units of what they pay, which is meeting, and fetching from each
 * other's caches what was made before, where cores are far apart. Infinite where they never meet. */
double tonnx__threads_gain(const tonnx__cpu_task *tasks, size_t count, size_t threads, const tonnx__program *program);

/* Whether one of two tasks writes what the other touches. */
bool tonnx__tasks_conflict(const tonnx__cpu_task *a, const tonnx__cpu_task *b);

/* Bytes of a batch that is gathered a step ahead. A longer one would push out what is computed with, and is best multiplied
 * while the cache still holds what was gathered. */
enum { TONNX__BATCH_AHEAD = 1 << 18 };

/* ahead.c: of the batch that `step` will gather, what those of the gathering tiles will read that a thread does. */
tonnx__ahead tonnx__ahead_of(const tonnx__cpu_task *gather, const tonnx__cpu_step *step, tonnx__span tiles);
/* Spreads a batch's lines over the tiles of a step, by their work (each task's `ahead`). */
void tonnx__spread_ahead(tonnx__cpu_task *tasks, size_t count, const tonnx__program *program);

static inline size_t tonnx__length(tonnx__span s)
{
    return s.to - s.from;
}

/* The part of a range that begins at `from` and has at most `length`. */
static inline tonnx__span tonnx__part(size_t from, size_t length, size_t end)
{
    return (tonnx__span){ from, end - from < length ? end : from + length };
}

/* Takes a piece of a product, whole: rows and columns of it, `sum` in rows that are `stride` apart. */
typedef void tonnx__packed_taker(void *user, tonnx__span rows, tonnx__span cols, const float *sum, size_t stride);

/* Matrices that lie as a product does, `stride` apart from row to row: what a piece of it will meet, from its first element on. */
typedef struct tonnx__beside {
    const float *at[TONNX__MAX_OUT];
    size_t count, stride;
} tonnx__beside;

/* Columns of a strip: as many as a block of the kernel's has, two for AVX2. */
enum { TONNX__STRIP = 48 };

/* gemm.c, for what is made of a product: its grid; alpha·op(A)·op(B)'s rows and columns, summed over a part of k, into `c`, rows
 * `stride` apart (added to under ACC0); the row sums of op(A)'s rows over a part of k. */
void tonnx__gemm_cut(tonnx__cpu_task *task, tonnx__cpu_tile *tile);
tonnx__span tonnx__gemm_depth(const tonnx__cpu_task *task); /* all of k */
bool tonnx__gemm_goes_by_columns(const tonnx__cpu_task *task); /* in strips of TONNX__STRIP */
bool tonnx__gemm_shares(const tonnx__program *program, const tonnx__instruction *code); /* worth several tiles */
void tonnx__gemm_product(const tonnx__cpu_task *task, tonnx__span rows, tonnx__span cols, tonnx__span deep, float *c, size_t stride,
                         tonnx__ahead *ahead);
/* A large product of all of k in pieces, each handed over once; false where tonnx__gemm_product is the one to make it. */
bool tonnx__gemm_pieces(const tonnx__cpu_task *task, tonnx__span rows, tonnx__span cols, const tonnx__beside *beside,
                        tonnx__packed_taker *take, void *user);
void tonnx__gemm_row_sums(const tonnx__cpu_task *task, tonnx__span rows, tonnx__span deep, float *s);

/* Rows `rows` and columns `cols` of an operand as a panel for kernels by columns. */
static inline tonnx__panel tonnx__panel_of(const tonnx__cpu_operand *x, tonnx__span rows, tonnx__span cols)
{
    return (tonnx__panel){ rows.to - rows.from, cols.to - cols.from, x->cols };
}

/* exec.c, walk.c */
tonnx_status tonnx__cpu_exec_new(tonnx__device_state *state, const tonnx__program *program, tonnx__exec **out);
void tonnx__cpu_exec_free(tonnx__exec *exec);
tonnx_status tonnx__cpu_run(tonnx__exec *exec, const tonnx__feed *feed, const uint32_t *order,
                            const tonnx__record *records, size_t count);
tonnx_status tonnx__cpu_results(tonnx__exec *exec, size_t count, double *to);
tonnx_status tonnx__cpu_work_write(tonnx__exec *exec, size_t offset, size_t count, const void *from,
                                   tonnx__numbers numbers);
tonnx_status tonnx__cpu_work_read(tonnx__exec *exec, size_t offset, size_t count, void *to, tonnx__numbers numbers);
tonnx_status tonnx__cpu_plan(tonnx__exec *exec, const tonnx__feed *feed, void (*line)(void *user, const char *text),
                             void *user);
tonnx_status tonnx__cpu_profile(tonnx__exec *exec, tonnx__spent *spent, tonnx__handing *handing);
void tonnx__cpu_copy_in(float *to, const void *from, size_t count, tonnx__numbers numbers);
void tonnx__cpu_copy_out(void *to, const float *from, size_t count, tonnx__numbers numbers);

/* packed.c: op(A)·op(B) of operands too large to be multiplied as they lie, handed over in pieces. */
void tonnx__packed_pieces(const tonnx__packed_kernels *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b,
                          tonnx__packed_taker *take, void *user);

/* The same put where it is wanted: C[m,n] (+)= alpha·op(A)·op(B), row-major; `add` adds. */
void tonnx__packed_product(const tonnx__packed_kernels *kernels, const size_t mnk[3], float alpha, tonnx__lying a,
                           tonnx__lying b, bool add, float *c, size_t stride);

/* flat.c: op(A)·op(B) of a k from 1 to FLAT_DEEP in pieces of a few rows, while what lies beside it is on its way from memory.
 * `kept`: bytes of packed op(B) that caches keep beside all else. */
enum { TONNX__FLAT_PARTS = 2, TONNX__FLAT_DEEP = TONNX__FLAT_PARTS * TONNX__PACKED_BYTES / 4 };
void tonnx__flat_pieces(const tonnx__packed_kernels *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b,
                        const tonnx__beside *beside, size_t kept, tonnx__packed_taker *take, void *user);

/* As the backend's open, but with the kernels of that instruction set (-1: the best that runs here). For tests. */
tonnx_status tonnx__cpu_open_isa(tonnx__backend **out, const tonnx__backend_options *options, int isa);

extern const tonnx__backend_kind tonnx__backend_cpu;

#endif
