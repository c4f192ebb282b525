/* A program: one training (or evaluation) step as a flat, immutable list of instructions over buffers. It is data:
 * it can be printed, verified, fused and memory-planned by passes that know no device. Compiled for one row count. */
#ifndef TONNX_RUNTIME_PROGRAM_IMPL_H
#define TONNX_RUNTIME_PROGRAM_IMPL_H

#include "runtime/mem_impl.h"
#include "runtime/ops/binary_impl.h"
#include "runtime/ops/book_impl.h"

typedef enum tonnx__kind {
#define TONNX_KIND(id, name, inputs, outputs) TONNX__##id,
#include "runtime/kinds.def"
#undef TONNX_KIND
    TONNX__KINDS
} tonnx__kind;

/* Where a buffer lives. PARAM, GRAD, MOMENT1 and MOMENT2 have one layout: the same offset means the same parameter,
 * in reverse layer order. */
typedef enum tonnx__arena {
    TONNX__ARENA_PARAM,   /* trained parameters (state) */
    TONNX__ARENA_GRAD,    /* their gradients (state) */
    TONNX__ARENA_MOMENT1, /* optimizer moments (state) */
    TONNX__ARENA_MOMENT2,
    TONNX__ARENA_STATIC,  /* frozen parameters and running statistics (state) */
    TONNX__ARENA_WORK,    /* activations and the like (the program's own) */
    TONNX__ARENA_RESULT,  /* TONNX__RESULTS numbers per step, one row per record of a run (the program's own) */
    TONNX__ARENAS
} tonnx__arena;

enum { TONNX__STATE_ARENAS = TONNX__ARENA_STATIC + 1 };

/* A step's results: columns of a row of the RESULT arena. */
enum { TONNX__RESULT_LOSS, TONNX__RESULT_GRAD_SQUARE, TONNX__RESULT_SPARE1, TONNX__RESULT_SPARE2, TONNX__RESULTS };

/* Rows of what MOMENTS makes. */
enum {
    TONNX__MOMENT_MEAN,
    TONNX__MOMENT_DEVIATION,
    TONNX__MOMENT_SKEWNESS,
    TONNX__MOMENT_KURTOSIS,
    TONNX__MOMENT_MIN,
    TONNX__MOMENT_MAX,
    TONNX__MOMENT_ZEROS,
    TONNX__MOMENT_BELOW,
    TONNX__MOMENT_ABOVE,
    TONNX__MOMENTS_ROWS
};

enum { TONNX__MAX_BINS = 256 }; /* of HISTOGRAM */

enum { TONNX__MAX_IN = 6, TONNX__MAX_OUT = 6 };

/* Offsets and sizes are in elements. A buffer in RESULT is [1,1] and its offset is a TONNX__RESULT column. */
typedef struct tonnx__buffer {
    char name[48];
    tonnx__arena arena;
    size_t offset, rows, cols;
    bool keep; /* read from outside after a run: its room is never reused */
} tonnx__buffer;

enum {
    TONNX__TRANS_A = 1 << 0,
    TONNX__TRANS_B = 1 << 1,
    TONNX__EPILOGUE_BACK = 1 << 2,
    TONNX__UNBIASED = 1 << 3,
    TONNX__RMS = 1 << 4,
    TONNX__LOG = 1 << 5,
    TONNX__CLASSES = 1 << 6,
    TONNX__SQUARE = 1 << 7,
    TONNX__ACC0 = 1 << 8, /* output 0 is added to */
    TONNX__ACC1 = 1 << 9
};

typedef struct tonnx__instruction {
    tonnx__kind kind;
    int in[TONNX__MAX_IN], out[TONNX__MAX_OUT]; /* buffers; -1 where absent. Slots as kinds.def names them */
    int op;     /* activation (-1 none) | tonnx__binary | loss | optimizer */
    unsigned flags;
    double alpha, beta;       /* gemm, column sum, reduce */
    double a, b;              /* activation attributes, ratio, delta, limits, thresholds, fill value */
    double epsilon, momentum; /* norms */
    size_t from, to, width;   /* copy: columns */
    size_t block;             /* reduce, histogram: elements per run; moments: columns per panel */
    uint32_t stream;          /* random numbers: which sequence */
    double h[6];              /* optimizer's hyper-parameters, as tonnx__optimizer_hyper lists them */
} tonnx__instruction;

typedef struct tonnx__program {
    tonnx__instruction *code;
    tonnx__buffer *buffers;
    size_t code_count, buffer_count, code_room, buffer_room;
    size_t rows;                    /* the batch this program is for */
    size_t arena_size[TONNX__ARENAS]; /* elements; RESULT: TONNX__RESULTS, per step */
    int output;                     /* buffer of the net's output (or logits), kept; -1 where none */
    int class_weights;              /* buffer that wants the goal's class weights written before the first run; -1 */
    uint64_t seed;                  /* of dropout and random slopes */
} tonnx__program;

/* What varies from step to step, computed on the host in double by tonnx__record_make. */
typedef struct tonnx__record {
    double rate;      /* the schedule's learning rate of this step */
    double c[4];      /* the optimizer's coefficients of this step (see ops/optimizers.def) */
    size_t first;     /* position of the batch's first row in the order */
    size_t rows;      /* must equal the program's */
    uint64_t step;    /* counted from 0 over the whole training: the random generator's step */
} tonnx__record;

void tonnx__program_free(tonnx__program *program);

/* Adds a buffer; *out its index. `name` is cut to fit. */
tonnx_status tonnx__program_buffer(tonnx__program *program, int *out, const char *name, tonnx__arena arena, size_t rows,
                                   size_t cols);

/* Adds an instruction with all slots absent and all numbers at rest (alpha 1, op -1); *out is valid until the next. */
tonnx_status tonnx__program_add(tonnx__program *program, tonnx__instruction **out, tonnx__kind kind);

/* Checks every operand against kinds.def: present where it must be, inside its arena, shapes that fit the kind.
 * A failure is a bug of tonnx, reported as TONNX_BAD_USAGE with instruction and slot. */
tonnx_status tonnx__program_verify(const tonnx__program *program);

/* The kind's name, and its slots' names ("A B bias?"). */
const char *tonnx__kind_name(tonnx__kind kind);
const char *tonnx__kind_inputs(tonnx__kind kind);
const char *tonnx__kind_outputs(tonnx__kind kind);

/* The k-th slot of such a list: its name (without the "?") into `name`, whether it may be absent into *optional.
 * Returns false where the list has no k-th slot. */
bool tonnx__kind_slot(const char *slots, int k, char name[24], bool *optional);

/* Elements of a buffer: rows · cols (checked when the buffer was made). */
size_t tonnx__buffer_count(const tonnx__buffer *buffer);

const char *tonnx__arena_name(tonnx__arena arena);

/* What an instruction does at least: FLOP of its matrix product (0: it is none), and bytes of operands of 4-byte elements. */
double tonnx__instruction_flops(const tonnx__program *program, const tonnx__instruction *code);
double tonnx__instruction_bytes(const tonnx__program *program, const tonnx__instruction *code);

/* An instruction as a line of text, cut to fit. */
enum { TONNX__INSTRUCTION_TEXT = 1024 };
void tonnx__instruction_text(const tonnx__program *program, size_t number, char text[TONNX__INSTRUCTION_TEXT]);

/* What the program's arenas take, in elements of so many bytes, as a line of text: "memory: param 2.9 KiB, …". */
void tonnx__program_memory(const tonnx__program *program, size_t element, char text[TONNX__INSTRUCTION_TEXT]);

/* Prints the program, one instruction a line: number, kind, outputs = inputs with their names, shapes and arenas, flags
 * and numbers that are not at rest, activation or loss by name. */
void tonnx__program_print(const tonnx__program *program, void (*line)(void *user, const char *text), void *user);

#endif
