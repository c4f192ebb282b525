/* A program made ready: its dispatches, the data that they gather from, and how they run. */
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
    double slice; /* parts.c: seconds that one of its workgroups is thought to take */
    VkPipeline pipeline;
    VkPipelineLayout layout;
    VkDescriptorSet set;
    VkBufferView views[TONNX__VK_MAX_VIEWS]; /* of the first operands, as its shader wants them */
} tonnx__vk_dispatch;

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

/* A data set on the device: its first samples, all of them where there is room. */
struct tonnx__vk_data {
    tonnx__vk_data *next;
    uint64_t identity; /* the feed's */
    size_t samples;
    tonnx__vk_table x, t;
};

enum { TONNX__VK_RUNGS = 9, TONNX__VK_SLOTS = 3 };

/* Commands for 1, 2, 4 … 256 steps: no submit has the same twice, which the validation layer cannot follow. */
typedef struct tonnx__vk_rung {
    VkCommandBuffer commands; /* NULL until first wanted */
    uint32_t steps;
    size_t ran; /* steps since the profile was last read */
} tonnx__vk_rung;

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

/* A submit, in flight or done; one of a long step's parts has commands of its own. */
typedef struct tonnx__vk_slot {
    VkFence fence;
    bool flying; /* submitted and not waited for */
    VkCommandBuffer commands;
    double begun;             /* when the part went out */
    double expected, rest;    /* seconds that it was thought to take; all but its longest dispatch */
    size_t longest;           /* that one's place in the list */
    size_t groups;            /* of that one's; 0: no part */
} tonnx__vk_slot;

typedef struct tonnx__vk_exec {
    tonnx__exec base;
    tonnx__vk_buffer work, scratch, results, clock, order;
    size_t scratch_size;      /* elements */
    tonnx__vk_dispatch *list; /* the last one advances the clock */
    size_t count, room;
    VkDescriptorPool pool;
    tonnx__vk_rung rungs[TONNX__VK_RUNGS];
    bool ready, gathers; /* recorded; a program that reads data */
    tonnx__vk_slot slots[TONNX__VK_SLOTS]; /* the last submits, one after the other */
    size_t submits;
    double begun, ended; /* the last wait or run's begin; when the last submit that was waited for was done */
    double step_seconds; /* a step's time; 0: not known yet */
    size_t run_steps;    /* since then */
    const tonnx__vk_data *kept; /* what lies on the device of the data that it is recorded for; NULL: nothing does */
    tonnx__vk_data ring;        /* slots of rows that runs send, where not all of it does */
    tonnx__vk_data source;      /* both, one after the other, as gathers see them; its pieces' buffers are borrowed */
    size_t slot_rows;           /* 0: all samples lie on the device */
    tonnx__spent *spent;        /* the caller's; NULL: no profile is wanted */
    tonnx__handing *handing;
    VkQueryPool queries;
} tonnx__vk_exec;

static inline tonnx__vk *tonnx__vk_of(const tonnx__vk_exec *exec)
{
    return (tonnx__vk *)exec->base.state->backend;
}

/* exec.c, run.c, profile.c, plan.c */
tonnx_status tonnx__vk_exec_new(tonnx__device_state *state, const tonnx__program *program, tonnx__exec **out);
void tonnx__vk_exec_free(tonnx__exec *exec);
tonnx_status tonnx__vk_run(tonnx__exec *exec, const tonnx__feed *feed, const uint32_t *order,
                           const tonnx__record *records, size_t count);
tonnx_status tonnx__vk_results(tonnx__exec *exec, size_t count, double *to);
tonnx_status tonnx__vk_work_write(tonnx__exec *exec, size_t offset, size_t count, const void *from,
                                  tonnx__numbers numbers);
tonnx_status tonnx__vk_work_read(tonnx__exec *exec, size_t offset, size_t count, void *to, tonnx__numbers numbers);
tonnx_status tonnx__vk_plan(tonnx__exec *exec, const tonnx__feed *feed, void (*line)(void *user, const char *text),
                            void *user);
tonnx_status tonnx__vk_profile(tonnx__exec *exec, tonnx__spent *spent, tonnx__handing *handing);

/* data.c: what is kept of the feed's data on the device, sent now where it was not; NULL where nothing can be. The
 * exec's ring has room for `rows` rows of it (0: none); the two together become its source. The feed's row `sample`
 * into the ring's row `at`. */
tonnx_status tonnx__vk_data_find(tonnx__vk *vk, const tonnx__feed *feed, const tonnx__vk_data **out);
tonnx_status tonnx__vk_ring_want(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t rows);
tonnx_status tonnx__vk_source_make(tonnx__vk_exec *exec);
void tonnx__vk_source_free(tonnx__vk_exec *exec);
void tonnx__vk_ring_put(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t at, size_t sample);
void tonnx__vk_data_clear(tonnx__vk *vk, tonnx__vk_data *data);
void tonnx__vk_data_free_all(tonnx__vk *vk);

/* record.c: dispatches, barriers, pipelines, bindings; a rung's commands, made on first use; all of it undone. */
tonnx_status tonnx__vk_prepare(tonnx__vk_exec *exec);
tonnx_status tonnx__vk_record(tonnx__vk_exec *exec, tonnx__vk_rung *rung);
void tonnx__vk_unprepare(tonnx__vk_exec *exec);
/* Workgroups `from` to `to` of a dispatch's, for step `step` of the commands. */
void tonnx__vk_record_dispatch(tonnx__vk *vk, VkCommandBuffer commands, const tonnx__vk_dispatch *d, uint32_t step,
                               size_t from, size_t to);
size_t tonnx__vk_groups(const tonnx__vk_dispatch *d);
/* schedule.c: the dispatches in the order of their levels, with barriers. */
tonnx_status tonnx__vk_schedule(tonnx__vk_exec *exec);
/* run.c: ready to gather from the feed (NULL: nothing is gathered), as a run would be. Waits for what was submitted. */
tonnx_status tonnx__vk_make_ready(tonnx__vk_exec *exec, const tonnx__feed *feed);
/* submit.c: how many of so many steps fit into a submit; that many go out; waits for the next slot's last user, for all. */
size_t tonnx__vk_fitting(const tonnx__vk_exec *exec, size_t steps);
tonnx_status tonnx__vk_go(tonnx__vk_exec *exec, size_t steps);
tonnx_status tonnx__vk_slot_free(tonnx__vk_exec *exec);
tonnx_status tonnx__vk_wait(tonnx__vk_exec *exec);
/* parts.c: whether a step takes longer than a submit may; such a step; what was learned from a part that is done. */
bool tonnx__vk_is_long(const tonnx__vk_exec *exec);
tonnx_status tonnx__vk_go_in_parts(tonnx__vk_exec *exec);
void tonnx__vk_part_learn(tonnx__vk_exec *exec, const tonnx__vk_slot *slot);

/* profile.c: what recording and running add where a profile is wanted; `dispatch` comes next in the rung's first step.
 */
tonnx_status tonnx__vk_meter_prepare(tonnx__vk_exec *exec);
void tonnx__vk_meter_stamp(tonnx__vk_exec *exec, int rung, VkCommandBuffer commands, size_t dispatch);
tonnx_status tonnx__vk_meter_read(tonnx__vk_exec *exec);

#endif
