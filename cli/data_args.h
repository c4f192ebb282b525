/* Options that choose data, shared by the commands that take some; and what they load. */
#ifndef TONNX_CLI_DATA_ARGS_H
#define TONNX_CLI_DATA_ARGS_H

#include "cli/cli.h"

typedef struct data_args {
    const char *data, *target, *x_key, *y_key, *index_base, *header, *scale, *input, *output_name;
    uint64_t limit;
} data_args;

extern const opt data_options[];

/* Validation data, for training. */
typedef struct val_args {
    const char *val, *val_target;
    double val_split;
} val_args;

extern const opt val_options[];

/* What was loaded, and what has to be remembered of it in a written model. */
typedef struct data_sets {
    tonnx_dataset *data, *val; /* val: NULL where none */
    bool nodes_scale;          /* the model is to begin with Sub and Div, or does */
} data_sets;

/* Loads --data (`loss`: numbers stay numbers for mse, mae and huber; NULL: the model's business), puts classes and
 * columns into the order that the model's metadata names, and scales as the metadata says or --scale. */
int data_load(data_sets *out, const data_args *args, const char *loss, const tonnx_model *model, const tonnx_log *log);

/* The same for training: validation too, --scale standard and minmax edit the model. `keep_ties` as in training. */
int data_load_training(data_sets *out, const data_args *args, const val_args *val, const char *loss, uint64_t seed,
                       tonnx_model *model, const tonnx_log *log);

/* Class names, scale and column order into the model's metadata, where they were used. */
int data_remember(const data_sets *sets, const data_args *args, tonnx_model *model);

void data_free(data_sets *sets);

#endif
