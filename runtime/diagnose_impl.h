/* What the files of the diagnosis share: the case that rules look at, and what they find. */
#ifndef TONNX_RUNTIME_DIAGNOSE_IMPL_H
#define TONNX_RUNTIME_DIAGNOSE_IMPL_H

#include "runtime/diagnose.h"
#include "runtime/diagnose_scheme_impl.h"
#include "runtime/stats_impl.h"

/* A dense layer of the net, in order. */
typedef struct tonnx__dense {
    size_t layer;  /* its number in the net */
    size_t told;   /* the layer of the statistics that begins with it */
    int act;       /* the layer of the activation that follows, norms and sums aside; -1: none */
    bool head;     /* no dense layer comes after it */
    bool fresh;    /* its weight is as an initialisation draws it */
    double fan_in, fan_out;
    double variance;             /* of its weight as the layer computes with it, alpha multiplied in */
    tonnx_scheme recommended;    /* for that activation */
    double recommended_variance;
    bool known, bias_known;      /* its numbers are there and finite */
    tonnx__scheme_match weight_from, bias_from; /* which initialisation draws such numbers, where they are known */
} tonnx__dense;

/* A net as the rules see it. */
typedef struct tonnx__case {
    const tonnx_net *net;
    const tonnx_stats *stats;
    const tonnx_diagnose_options *options;
    tonnx__told *told; /* as many as stats->layers */
    size_t told_count;
    tonnx__dense *dense;
    size_t dense_count;
    size_t hidden;   /* dense layers that are no head */
    bool finite;     /* weights, and values on data */
    bool fresh;      /* every dense weight is */
    bool learnt;     /* its loss is well below that of an answer that knows nothing: what it does cannot be all wrong */
    bool chain;      /* no sums, products, concatenations or slices of values */
    bool norms, dropout;
    bool speaks;     /* there is data that says something: not made-up numbers for a trained net */
    bool unscaled;   /* input-not-scaled holds, or init-activation-mismatch: causes of what comes after them */
    bool mismatched;
} tonnx__case;

tonnx_status tonnx__case_new(tonnx__case *out, const tonnx_net *net, const tonnx_stats *stats,
                             const tonnx_diagnose_options *options);
void tonnx__case_clear(tonnx__case *c);

/* diagnose_origin.c: names where the weights and biases come from, all at once, as they help one another; tells it, per
 * parameter of the net. */
tonnx_status tonnx__case_recognise(tonnx__case *c);
void tonnx__case_tell_origins(const tonnx__case *c, tonnx_origin *origins);

/* Statistics of a dense layer's value, with the activation where one was joined to it. */
const tonnx_layer_stats *tonnx__case_layer(const tonnx__case *c, size_t dense);

/* Whether an activation of the net is the op book's row `act`. */
bool tonnx__case_uses(const tonnx__case *c, tonnx_activation act);

/* The dense layer that a layer of the statistics belongs to, or comes after; dense_count where there is none. */
size_t tonnx__case_dense_of(const tonnx__case *c, size_t told);

/* How much a layer's units vary from sample to sample: root mean square of their deviations. */
double tonnx__case_signal(const tonnx_layer_stats *layer);

/* Per unit mean and deviation of a value, on the data; NULL where it is not known. */
typedef struct tonnx__columns {
    const double *mean, *std;
} tonnx__columns;
tonnx__columns tonnx__case_columns(const tonnx__case *c, int value);

/* What the first dense layer reads. */
int tonnx__case_first(const tonnx__case *c);

/* What theory says of a chain with the recommended initialisation: the share of a small change at the input that is left
 * after all hidden layers (mean field: the product of √(gain²·E[f'(√q·z)²])). 1 where norms or branches keep the signal. */
double tonnx__case_holds(const tonnx__case *c);

/* Less of a signal than this is a signal that has vanished. */
#define TONNX__SIGNAL_LEFT (1.0 / 500)

/* Fewer samples than this say little of a single unit. */
enum { TONNX__ENOUGH_SAMPLES = 32 };

/* What mends; diagnose_fix.c has the words. */
typedef enum tonnx__cure {
    TONNX__CURE_LAYERS,  /* init of the layers found */
    TONNX__CURE_ALL,     /* init of all */
    TONNX__CURE_SMALL,   /* init of the last layer, small; its bias at the targets' mean */
    TONNX__CURE_BATCH,   /* a new net with batch norm */
    TONNX__CURE_PLAIN,   /* a new net without norms, dropout, branches */
    TONNX__CURE_SCALE,   /* train with --scale standard */
    TONNX__CURE_LSUV,    /* init by lsuv */
    TONNX__CURE_TRAIN,   /* train (on) */
    TONNX__CURE_RATE,    /* train with another rate */
    TONNX__CURE_RUNNING  /* train at rate 0 */
} tonnx__cure;

typedef struct tonnx__finding {
    bool *found;  /* per dense layer; all false: it is the net's */
    size_t worst; /* of them, and how bad it is */
    double badness;
    const char *layer; /* named instead, where it is no dense one; NULL: none */
    double measured, expected;
    tonnx__cure cure;
    double rate;  /* CURE_RATE */
    double momentum; /* CURE_RUNNING: the most that a norm keeps of the old */
    char message[256];
} tonnx__finding;

/* Says it, in f->message. */
void tonnx__finding_say(tonnx__finding *f, const char *format, ...) TONNX_PRINTF(2, 3);

/* Marks a dense layer; the one with the largest `badness` is the worst. */
void tonnx__finding_mark(tonnx__finding *f, size_t dense, double badness);

/* What mends a signal that goes wrong: scaled input, a new net, or fresh weights. */
tonnx__cure tonnx__cure_of_signal(const tonnx__case *c);

/* The command, for the caller to free. */
tonnx_status tonnx__fix(char **out, const tonnx__case *c, const tonnx__finding *f);

/* True where a rule is broken; *f is zero before. Rules are only asked where what they need is there. */
#define TONNX_RULE(id, ...) bool tonnx__judge_##id(const tonnx__case *c, tonnx__finding *f);
#include "runtime/rules.def"
#undef TONNX_RULE

#endif
