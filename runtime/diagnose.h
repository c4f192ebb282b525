/* Diagnosis: a model judged against theory, each verdict with the command that mends it. */
#ifndef TONNX_RUNTIME_DIAGNOSE_H
#define TONNX_RUNTIME_DIAGNOSE_H

#include "stats.h"

TONNX_BEGIN

typedef enum tonnx_rule {
#define TONNX_RULE(id, ...) TONNX_RULE_##id,
#include "rules.def"
#undef TONNX_RULE
    TONNX_RULE_COUNT
} tonnx_rule;

typedef enum tonnx_severity { TONNX_SEVERITY_NOTE, TONNX_SEVERITY_WARN, TONNX_SEVERITY_FAIL } tonnx_severity;
typedef enum tonnx_needs { TONNX_NEEDS_WEIGHTS, TONNX_NEEDS_DATA, TONNX_NEEDS_TARGETS } tonnx_needs;

/* One row of the table, for listing. */
typedef struct tonnx_rule_info {
    const char *name; /* "init-activation-mismatch" */
    tonnx_severity severity;
    tonnx_needs needs;
    const char *measured, *expected, *fix; /* in words */
} tonnx_rule_info;

TONNX_API void tonnx_rule_describe(tonnx_rule rule, tonnx_rule_info *out);
TONNX_API const char *tonnx_severity_name(tonnx_severity severity); /* "note", "warn", "fail" */
TONNX_API const char *tonnx_needs_name(tonnx_needs needs);          /* "weights", "data", "targets" */

/* A rule that is broken: one verdict, however many layers break it. */
typedef struct tonnx_verdict {
    tonnx_rule rule;
    const char *layer; /* the one that breaks it most, borrowed from the net; NULL: the whole net */
    size_t layers;     /* how many do */
    double measured, expected; /* of that layer, and the threshold it is beyond; NaN where there is no number to it */
    char *message;     /* one line, without the layer's name */
    char *fix;         /* a complete command */
} tonnx_verdict;

/* Where a dense layer's weight or bias comes from. */
typedef struct tonnx_origin {
    bool known;              /* such a parameter, and its numbers are finite */
    bool trained;            /* no initialisation draws such numbers */
    char scheme[48];         /* the closest scheme, as --scheme takes it: "he-normal", "normal:0.02"; or "trained" */
    double z;                /* its variance's distance from the scheme's, in standard errors; NaN where undefined */
    const char *recommended; /* the scheme for the activation that follows; NULL of a bias, and where it is not known */
    double variance_ratio;   /* the variance over that scheme's; NaN likewise */
} tonnx_origin;

typedef struct tonnx_diagnosis {
    size_t verdict_count;
    tonnx_verdict *verdicts; /* in the order of the rules */
    tonnx_origin *origins;   /* per parameter of the net */
    bool judged[TONNX_RULE_COUNT]; /* what it needs was there */
    size_t fails, warnings;
    bool fresh; /* no weight has been trained */
} tonnx_diagnosis;

typedef struct tonnx_diagnose_options {
    size_t size;         /* sizeof(tonnx_diagnose_options): fields may be added */
    const char *model;   /* the model's path, as commands are to name it */
    const char *const *data; /* the options that say which data was measured, as words, ends with NULL; NULL: none */
    const char *loss;    /* --loss, where it is not auto; NULL: it is */
    const char *out;     /* what commands write; NULL: MODEL-fixed.onnx */
    bool made_up;        /* the data is unit-normal samples: they say nothing of a trained net */
    bool assumed;        /* and nobody asked for them: which units they leave dead is no verdict either */
    tonnx_log log;
} tonnx_diagnose_options;

#define TONNX_DIAGNOSE_OPTIONS_DEFAULT { sizeof(tonnx_diagnose_options), "model.onnx", NULL, NULL, NULL, false, false, { NULL, NULL } }

/* Judges what tonnx_stats_measure found of `net`. The caller frees *out with tonnx_diagnosis_free; it borrows names from
 * `net`. *out is NULL on failure: TONNX_NO_MEMORY, TONNX_BAD_USAGE for options of another size. `options` may be NULL. */
TONNX_API tonnx_status tonnx_diagnose(tonnx_diagnosis **out, const tonnx_net *net, const tonnx_stats *stats,
                                      const tonnx_diagnose_options *options);
TONNX_API void tonnx_diagnosis_free(tonnx_diagnosis *diagnosis);

TONNX_END

#endif
