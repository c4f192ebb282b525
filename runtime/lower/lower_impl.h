/* Lowering: a net and a goal become a program. One file per pass, in this order: forward, loss, backward, update, fuse,
 * place. The first four append instructions; the last two rewrite what is there. None knows a device. */
#ifndef TONNX_RUNTIME_LOWER_LOWER_IMPL_H
#define TONNX_RUNTIME_LOWER_LOWER_IMPL_H

#include "runtime/program_impl.h"
#include "runtime/state_impl.h"

/* A value of the net that is measured, right after forward. */
typedef struct tonnx__probe {
    double below, above; /* thresholds of its moments */
    int result; /* filled by lowering: the buffer to be read after a run; -1 where the value is not computed */
    int range;  /* … to be written before the first, for a histogram; -1 else */
} tonnx__probe;

/* What of a value is measured: nothing, the moments of its units [9,F], its histogram [R,64], or it is kept itself. */
typedef enum tonnx__probing {
    TONNX__PROBE_NOTHING,
    TONNX__PROBE_MOMENTS,
    TONNX__PROBE_HISTOGRAMS,
    TONNX__PROBE_VALUES
} tonnx__probing;

/* What the program is for. */
typedef struct tonnx__goal {
    size_t rows;
    bool train;       /* batch statistics, dropout, gradients and an update; else inference */
    bool keep_output; /* the net's output is read after a run */
    int loss_value;   /* the value the loss reads; -1: no loss */
    tonnx_loss loss;
    double loss_a;       /* huber's delta */
    double smoothing;    /* of labels, for cross-entropy */
    const double *class_weights; /* for cross-entropy, one per output of loss_value; borrowed; NULL: all 1 */
    bool classes;        /* targets are class indices */
    size_t target_width; /* columns of the target: 1 for classes */
    bool freeze_bn, unbiased, dropout;
    tonnx_optimizer optimizer;
    double h[6]; /* its hyper-parameters (TONNX__H_…) */
    int moments;
    double clip_norm, clip_value; /* 0: none */
    bool want_grad_norm;          /* RESULT_GRAD_SQUARE of every step */
    uint64_t seed;
    tonnx__probing probing;
    tonnx__probe *probes; /* one per value of the net; borrowed */
    size_t collect;       /* with train: dropout and random slopes rest, and rather than an update, gradients are added up
                             in MOMENT1 over the batches of a set of so many samples, which counts as one batch; 0: update */
} tonnx__goal;

/* Compiles; the caller frees with tonnx__program_free (on failure nothing is left). */
tonnx_status tonnx__lower(tonnx__program **out, const tonnx_net *net, const tonnx__layout *layout,
                          const tonnx__goal *goal);

/* What the passes share while a program is made. Arrays by value, parameter or layer of the net; -1 where there is
 * none. */
typedef struct tonnx__lowering {
    tonnx__program *program;
    const tonnx_net *net;
    const tonnx__layout *layout;
    const tonnx__goal *goal;
    int *value;      /* value → its buffer */
    int *value_grad; /* value → its gradient's buffer */
    bool *needs;     /* value → some trained parameter stands before it */
    int *param;      /* parameter → its buffer */
    int *param_grad; /* parameter → its gradient's buffer */
    int *saved[2];   /* layer → statistics kept for backward */
    int target;      /* the batch's targets */
} tonnx__lowering;

/* A WORK buffer [rows, cols], named PREFIX followed by NAME. */
tonnx_status tonnx__work(tonnx__lowering *lowering, int *out, const char *name, const char *prefix, size_t rows,
                         size_t cols);

/* The buffer of a parameter, of its gradient; made on first use. param -1 gives buffer -1. */
tonnx_status tonnx__param_buffer(tonnx__lowering *lowering, int param, int *out);

/* Σ of a buffer's elements (squares, with flag SQUARE) times alpha into a [1,1] buffer: in two levels where it is long.
 */
tonnx_status tonnx__emit_sum(tonnx__lowering *lowering, int from, double alpha, unsigned flags, int to);

/* A part of a buffer's columns copied; flags may hold ACC0. */
tonnx_status tonnx__emit_copy(tonnx__lowering *lowering, int from, size_t from_col, int to, size_t to_col, size_t width,
                              unsigned flags);

/* True where a batch norm uses the batch's own statistics. */
bool tonnx__uses_batch_statistics(const tonnx__lowering *lowering, const tonnx__layer *layer);

/* True where a slope is drawn for every element (RReLU in training). */
bool tonnx__draws_slope(const tonnx__lowering *lowering, const tonnx__layer *layer);

/* The passes. */
tonnx_status tonnx__lower_forward(tonnx__lowering *lowering);
tonnx_status tonnx__lower_probes(tonnx__lowering *lowering);
tonnx_status tonnx__lower_loss(tonnx__lowering *lowering);
tonnx_status tonnx__lower_backward(tonnx__lowering *lowering);
tonnx_status tonnx__lower_update(tonnx__lowering *lowering);
tonnx_status tonnx__lower_collect(tonnx__lowering *lowering);
tonnx_status tonnx__fuse(tonnx__program *program);
tonnx_status tonnx__fuse_update(tonnx__program *program); /* the end of fuse */
tonnx_status tonnx__place(tonnx__program *program);

#endif
