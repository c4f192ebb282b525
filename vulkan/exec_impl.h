/* A program made ready: its dispatches, how instructions are cut into them, and the data that they gather from. */
#ifndef TONNX_VULKAN_EXEC_IMPL_H
#define TONNX_VULKAN_EXEC_IMPL_H

#include "vulkan/vulkan_impl.h"

/* An operand, row-major; `buffer` is NULL where the slot is empty. `at` is in elements. */
typedef struct tonnx__vk_operand {
    const tonnx__vk_buffer *buffer;
    size_t at, rows, cols;
    bool result; /* one of each step's results: `at` is the column */
} tonnx__vk_operand;

/* What a binding shows of a buffer. */
typedef struct tonnx__vk_window {
    const tonnx__vk_buffer *buffer;
    size_t offset, bytes;
    bool write;
} tonnx__vk_window;

typedef struct tonnx__vk_dispatch {
    tonnx__vk_shader shader;
    uint32_t specs[TONNX__VK_SPECS]; /* 0: invocations of a workgroup */
    tonnx__vk_operand operands[TONNX__VK_MAX_BINDINGS];
    uint32_t operand_count, written; /* how many; a bit for each that is */
    tonnx__vk_window windows[TONNX__VK_MAX_BINDINGS];
    tonnx__vk_push push;
    uint32_t groups[3];
    size_t code;  /* the instruction it belongs to */
    size_t level; /* how many others of its step it waits for, one after the other */
    bool barrier; /* the first of its level */
    VkPipeline pipeline;
    VkPipelineLayout layout;
    VkDescriptorSet set;
} tonnx__vk_dispatch;

enum {
    TONNX__VK_ACC0 = 1 << 0, /* as shaders/common.glsl has them */
    TONNX__VK_ACC1 = 1 << 1,
    TONNX__VK_HAS = 8,     /* bit of binding 0: the operand is there */
    TONNX__VK_ONE_COL = 20 /* bit of binding 0: the operand has one column */
};

/* A part of a data set: samples `first` to `first + count`. */
typedef struct tonnx__vk_piece {
    tonnx__vk_buffer buffer;
    size_t first, count;
} tonnx__vk_piece;

typedef enum tonnx__vk_numbers { TONNX__VK_NONE, TONNX__VK_FLOATS, TONNX__VK_BYTES, TONNX__VK_INTS } tonnx__vk_numbers;

/* Features, or targets, on the device: pieces that one binding can span each. */
typedef struct tonnx__vk_table {
    tonnx__vk_numbers numbers;
    size_t width;
    tonnx__vk_piece *pieces;
    size_t count;
} tonnx__vk_table;

/* A data set on the device. */
struct tonnx__vk_data {
    tonnx__vk_data *next;
    uint64_t identity; /* the feed's; 0: of this run alone */
    size_t samples;
    tonnx__vk_table x, t;
};

enum { TONNX__VK_RUNGS = 3, TONNX__VK_SLOTS = 3 };

/* Commands for 1, 8, 64 steps. */
typedef struct tonnx__vk_rung {
    VkCommandBuffer commands; /* NULL until first wanted */
    uint32_t steps;
    size_t ran; /* steps since the profile was last read */
} tonnx__vk_rung;

typedef struct tonnx__vk_exec {
    tonnx__exec base;
    tonnx__vk_buffer work, scratch, results, clock, order;
    size_t scratch_size;      /* elements */
    tonnx__vk_dispatch *list; /* the last one advances the clock */
    size_t count, room;
    VkDescriptorPool pool;
    tonnx__vk_rung rungs[TONNX__VK_RUNGS];
    bool ready, gathers;             /* recorded; a program that reads data */
    VkFence fences[TONNX__VK_SLOTS]; /* of the last submits, one after the other */
    bool flying[TONNX__VK_SLOTS];    /* submitted and not waited for */
    size_t submits;
    double begun, step_seconds; /* the last run's begin; a step's time, 0: not known yet */
    size_t run_steps;
    const tonnx__vk_data *data; /* what it is recorded for */
    tonnx__vk_data ring;        /* slots of rows that runs send, where the data is not on the device */
    size_t slot_rows;
    tonnx__spent *spent; /* the caller's; NULL: no profile is wanted */
    VkQueryPool queries;
} tonnx__vk_exec;

/* How one instruction becomes dispatches. */
typedef struct tonnx__vk_cut {
    tonnx__vk *vk;
    tonnx__vk_exec *exec;
    const tonnx__instruction *code;
    size_t index;
    tonnx__vk_operand in[TONNX__MAX_IN], out[TONNX__MAX_OUT];
    tonnx_status status; /* the first failure */
} tonnx__vk_cut;

typedef void tonnx__vk_cutter(tonnx__vk_cut *cut);
/* cut.c: the kind's; NULL where the backend does not have it. */
tonnx__vk_cutter *tonnx__vk_cutter_of(tonnx__kind kind);
tonnx__vk_operand tonnx__vk_operand_of(tonnx__vk_exec *exec, int index);
/* Takes up the instruction at the cut's index. */
void tonnx__vk_cut_open(tonnx__vk_cut *cut);

/* Making a dispatch: begin, name the operands in the order of the shader's bindings, emit. */
tonnx__vk_dispatch tonnx__vk_begin(const tonnx__vk_cut *cut, tonnx__vk_shader shader);
void tonnx__vk_takes(tonnx__vk_dispatch *d, tonnx__vk_operand operand);
void tonnx__vk_gives(tonnx__vk_dispatch *d, tonnx__vk_operand operand);
void tonnx__vk_takes_clock(tonnx__vk_cut *cut, tonnx__vk_dispatch *d);
/* The whole, `x`·`y` workgroups. */
void tonnx__vk_emit(tonnx__vk_cut *cut, const tonnx__vk_dispatch *d, size_t groups_x, size_t groups_y);
/* Rows in parts that the device's bindings can span; `per_row` invocations each. Operands of `rows` rows are cut,
 * others not. */
void tonnx__vk_emit_rows(tonnx__vk_cut *cut, const tonnx__vk_dispatch *d, size_t rows, size_t cols, size_t per_row);
/* How many rows of `cols` elements one binding spans: all of `rows`, or a multiple of `unit`. */
size_t tonnx__vk_span(tonnx__vk_cut *cut, size_t rows, size_t cols, size_t unit);
/* Rows `from`, `from` + 1 … of an operand. An operand as one long column. Elements for this instruction alone. */
tonnx__vk_operand tonnx__vk_rows_of(tonnx__vk_operand operand, size_t from, size_t rows);
tonnx__vk_operand tonnx__vk_flat(tonnx__vk_operand operand);
tonnx__vk_operand tonnx__vk_scratch(tonnx__vk_cut *cut, size_t rows, size_t cols);
/* What shaders know a loss by, and what of it is constant and pushed: cut_rows.c. A product and the loss that follows as one
 * dispatch, where one workgroup makes whole rows; false, and nothing done, else: cut_gemm.c. */
typedef struct tonnx__vk_loss {
    uint32_t line, classes, by_rows, logits;
    float a, smoothing, share; /* share: 1/rows */
} tonnx__vk_loss;
tonnx__vk_loss tonnx__vk_loss_of(const tonnx__instruction *code, size_t rows);
bool tonnx__vk_cut_with_loss(tonnx__vk_cut *cut);
/* What shaders know an activation by (0: none), and an optimizer; its hyper-parameters as they read them. */
uint32_t tonnx__vk_act(int op);
uint32_t tonnx__vk_optimizer(int op);
void tonnx__vk_hyper(const tonnx__instruction *code, float x[7]);

/* cut_columns.c: to[f] (+)= alpha·Σₙ of, by mode, X, (X − mean[f])², V·(X − mean[f])·rstd[f], V·(X − mean[n])·rstd[n],
 * V·∂f/∂a(X). The modes are column.comp's. */
typedef struct tonnx__vk_sum {
    enum {
        TONNX__VK_SUM,
        TONNX__VK_SUM_SQUARE,
        TONNX__VK_SUM_BY_COLUMN,
        TONNX__VK_SUM_BY_ROW,
        TONNX__VK_SUM_SLOPE
    } mode;
    tonnx__vk_operand x, v, mean, rstd;
    double alpha;
    bool add;
} tonnx__vk_sum;
void tonnx__vk_column_sum(tonnx__vk_cut *cut, const tonnx__vk_sum *sum, tonnx__vk_operand to);

#define TONNX_CUT(id) void tonnx__vk_cut_##id(tonnx__vk_cut *cut);
#include "vulkan/cuts.def"
#undef TONNX_CUT

/* data.c: the feed's data on the device; *out NULL where it cannot stay there. The ring has room for `rows` rows of it;
 * the feed's row `sample` into the ring's row `at`. */
tonnx_status tonnx__vk_data_find(tonnx__vk *vk, const tonnx__feed *feed, const tonnx__vk_data **out);
tonnx_status tonnx__vk_ring_want(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t rows);
void tonnx__vk_ring_put(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t at, size_t sample);
void tonnx__vk_data_clear(tonnx__vk *vk, tonnx__vk_data *data);
void tonnx__vk_data_free_all(tonnx__vk *vk);

/* record.c: dispatches, barriers, pipelines, bindings; a rung's commands, made on first use; all of it undone. */
tonnx_status tonnx__vk_prepare(tonnx__vk_exec *exec);
tonnx_status tonnx__vk_record(tonnx__vk_exec *exec, tonnx__vk_rung *rung);
void tonnx__vk_unprepare(tonnx__vk_exec *exec);
/* schedule.c: the dispatches in the order of their levels, with barriers. */
tonnx_status tonnx__vk_schedule(tonnx__vk_exec *exec);
/* run.c: ready to gather from the feed (NULL: nothing is gathered), as a run would be. Waits for what was submitted. */
tonnx_status tonnx__vk_make_ready(tonnx__vk_exec *exec, const tonnx__feed *feed);
tonnx_status tonnx__vk_wait(tonnx__vk_exec *exec);

/* profile.c: what recording and running add where a profile is wanted; `dispatch` comes next in the rung's first step.
 */
tonnx_status tonnx__vk_meter_prepare(tonnx__vk_exec *exec);
void tonnx__vk_meter_stamp(tonnx__vk_exec *exec, const tonnx__vk_rung *rung, size_t dispatch);
tonnx_status tonnx__vk_meter_read(tonnx__vk_exec *exec);

/* The clock, as shaders see it. */
typedef struct tonnx__vk_tick {
    float rate, c[4];
    uint32_t first, step_low, step_high;
} tonnx__vk_tick;
typedef struct tonnx__vk_clock {
    uint32_t count; /* steps of this run so far */
    float scale;    /* of gathered features */
    uint32_t spare[2];
    tonnx__vk_tick records[TONNX__MAX_STEPS];
} tonnx__vk_clock;

#endif
