/* The backend interface. Callers use the tonnx__backend_… functions below (the front door, backend.c), which validate
 * sizes and ownership once; implementers may assert. Nothing is optional.
 *
 * Laws (design.md §4): instructions take effect in order; only read and finish wait, and device failures surface
 * there; results are bit-equal for any number of threads. */
#ifndef TONNX_RUNTIME_BACKEND_IMPL_H
#define TONNX_RUNTIME_BACKEND_IMPL_H

#include <stdatomic.h>

#include "runtime/backend.h"
#include "runtime/dataset_impl.h"
#include "runtime/log_impl.h"
#include "runtime/program_impl.h"

typedef struct tonnx__backend_options {
    const char *name; /* "auto", "cpu", "reference", "vulkan:1" */
    int threads;      /* 0: as many as the machine has cores */
    tonnx_log log;
    tonnx_precision precision;
} tonnx__backend_options;

/* Elements as the caller holds them; a backend may hold them otherwise and translates. */
typedef enum tonnx__numbers { TONNX__F32, TONNX__F64 } tonnx__numbers;

static inline size_t tonnx__numbers_size(tonnx__numbers numbers)
{
    return numbers == TONNX__F32 ? sizeof(float) : sizeof(double);
}

/* What one instruction of a program cost over the runs that were profiled. Whatever executes (a thread, a queue) either
 * works or waits, so that seconds and waited of all instructions together are the runs' time, but for starting them. */
typedef struct tonnx__spent {
    uint64_t calls;         /* steps in which it ran */
    uint32_t tiles, meets;  /* in each: pieces it was cut into; times that all threads met before one */
    double seconds, waited; /* at work; before that, for others to be done. Means over the threads */
} tonnx__spent;

/* What the caller's thread had to do for the runs that were profiled, where another executes them; zeroes where it
 * works itself. */
typedef struct tonnx__handing {
    const char *pieces, *meets; /* what tiles and meets are called there */
    uint64_t submits;           /* times that work was handed over */
    uint64_t waits, reads;      /* times that it waited for what was; results that were read, which takes one each */
    double seconds, ready;      /* handing over, without the waits; before that, once: what runs need was made and sent */
} tonnx__handing;

/* What an implementer derives its own structs from, as their first member. */
typedef struct tonnx__backend tonnx__backend;
typedef struct tonnx__device_state tonnx__device_state; /* the state arenas on the device */
typedef struct tonnx__exec tonnx__exec;                 /* a program made ready to run, with its work arena */

typedef struct tonnx__backend_kind {
    const char *name;
    tonnx__numbers numbers; /* what its states hold: read so, nothing is lost, and written back so, nothing changes */
    bool bf16;              /* open knows precisions beside fp32, and says where the device lacks one */
    tonnx_status (*devices)(void (*visit)(void *user, const tonnx_device_info *info), void *user);
    tonnx_status (*open)(tonnx__backend **out, const tonnx__backend_options *options);
    void (*close)(tonnx__backend *backend);
    /* What `start` of the log says it runs on. Borrowed. */
    const char *(*device)(const tonnx__backend *backend);

    /* Arenas of `sizes` elements each (TONNX__STATE_ARENAS of them), zeroed. */
    tonnx_status (*state_new)(tonnx__backend *backend, const size_t *sizes, tonnx__device_state **out);
    void (*state_free)(tonnx__device_state *state);
    /* Floats may lie at any address, as a file's do: memcpy them, never cast `from`. */
    tonnx_status (*state_write)(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                const void *from, tonnx__numbers numbers);
    tonnx_status (*state_read)(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count, void *to,
                               tonnx__numbers numbers);

    /* `program` and `state` are borrowed and outlive the exec. */
    tonnx_status (*exec_new)(tonnx__device_state *state, const tonnx__program *program, tonnx__exec **out);
    void (*exec_free)(tonnx__exec *exec);
    /* Runs one step per record (count ≤ TONNX__MAX_STEPS), batches gathered from `feed`; `order[i]` is the sample at
     * position i (order NULL: sample i). feed and order stay unchanged until finish or the next read. feed may be NULL for a program without gather.
     * Where the backend's `stop` is raised meanwhile, it returns tonnx__abandoned() as soon as it can, within a step. */
    tonnx_status (*run)(tonnx__exec *exec, const tonnx__feed *feed, const uint32_t *order, const tonnx__record *records,
                        size_t count);
    /* count·TONNX__RESULTS numbers of the last run; waits. */
    tonnx_status (*results)(tonnx__exec *exec, size_t count, double *to);
    /* WORK buffers, by absolute offset; read waits. */
    tonnx_status (*work_write)(tonnx__exec *exec, size_t offset, size_t count, const void *from, tonnx__numbers numbers);
    tonnx_status (*work_read)(tonnx__exec *exec, size_t offset, size_t count, void *to, tonnx__numbers numbers);
    tonnx_status (*finish)(tonnx__backend *backend);
    /* From here on what the instructions of a run cost is added to spent[i], i the instruction, and what handing runs
     * over did to *handing; up to date when results or finish returns. Both stay the caller's; NULL: no more. */
    tonnx_status (*profile)(tonnx__exec *exec, tonnx__spent *spent, tonnx__handing *handing);
    /* How it runs the program, as lines of text, the memory that takes among them. `feed` is what batches would be gathered
     * from; NULL for a program without gather. */
    tonnx_status (*plan)(tonnx__exec *exec, const tonnx__feed *feed, void (*line)(void *user, const char *text), void *user);
    /* Which of its ways to work are fastest here is measured and kept for later; no result depends on it. */
    tonnx_status (*tune)(tonnx__backend *backend, void (*line)(void *user, const char *text), void *user);
} tonnx__backend_kind;

enum { TONNX__MAX_STEPS = 256 };

struct tonnx__backend {
    const tonnx__backend_kind *kind;
    const _Atomic bool *stop; /* NULL: runs are run to their end */
};
struct tonnx__device_state {
    tonnx__backend *backend;
    size_t sizes[TONNX__STATE_ARENAS];
};
struct tonnx__exec {
    tonnx__device_state *state;
    const tonnx__program *program;
};

static inline bool tonnx__backend_stopped(const tonnx__backend *backend)
{
    return backend->stop && atomic_load_explicit(backend->stop, memory_order_relaxed);
}

/* TONNX_INTERRUPTED: a run was left before its end. */
tonnx_status tonnx__abandoned(void);

/* `tune` of a backend that has nothing to choose. */
tonnx_status tonnx__nothing_to_tune(tonnx__backend *backend, void (*line)(void *user, const char *text), void *user);

/* The front door. What is to be run, where `auto` may choose by it, which is said. A backend that is opened by "auto" opens
 * only a device that may be faster than the machine's own processor. */
struct tonnx__workload;
tonnx_status tonnx__backend_open_for(tonnx__backend **out, const tonnx__backend_options *options,
                                     const struct tonnx__workload *work);
tonnx_status tonnx__backend_open(tonnx__backend **out, const tonnx__backend_options *options);
/* The one that judges the others: naive loops in double. */
tonnx_status tonnx__backend_judge(tonnx__backend **out);
void tonnx__backend_close(tonnx__backend *backend);
const char *tonnx__backend_device(const tonnx__backend *backend);
/* From here on a run is left with TONNX_INTERRUPTED once *stop is set (NULL: never), at the next tile or step. What
 * state and buffers hold then is nobody's: the caller puts back what it needs. The flag is borrowed. */
void tonnx__backend_heed(tonnx__backend *backend, const _Atomic bool *stop);
tonnx_status tonnx__device_state_new(tonnx__device_state **out, tonnx__backend *backend, const size_t *sizes);
void tonnx__device_state_free(tonnx__device_state *state);
tonnx_status tonnx__device_state_write(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                       const void *from, tonnx__numbers numbers);
tonnx_status tonnx__device_state_read(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                      void *to, tonnx__numbers numbers);
tonnx_status tonnx__exec_new(tonnx__exec **out, tonnx__device_state *state, const tonnx__program *program);
void tonnx__exec_free(tonnx__exec *exec);
tonnx_status tonnx__exec_run(tonnx__exec *exec, const tonnx__feed *feed, const uint32_t *order,
                             const tonnx__record *records, size_t count);
tonnx_status tonnx__exec_results(tonnx__exec *exec, size_t count, double *to);
/* A buffer of the program, whichever arena it lives in. */
tonnx_status tonnx__exec_write(tonnx__exec *exec, int buffer, const void *from, tonnx__numbers numbers);
tonnx_status tonnx__exec_read(tonnx__exec *exec, int buffer, void *to, tonnx__numbers numbers);
/* `spent`: one per instruction of the program, zeroed. Both outlive the exec, or are taken back with NULL. */
tonnx_status tonnx__exec_profile(tonnx__exec *exec, tonnx__spent *spent, tonnx__handing *handing);
tonnx_status tonnx__exec_plan(tonnx__exec *exec, const tonnx__feed *feed, void (*line)(void *user, const char *text),
                              void *user);
tonnx_status tonnx__backend_finish(tonnx__backend *backend);

#endif
