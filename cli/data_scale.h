/* --scale: how features are scaled, and where that is remembered. */
#ifndef TONNX_CLI_DATA_SCALE_H
#define TONNX_CLI_DATA_SCALE_H

#include "cli/data_args.h"

extern const opt_words scale_words;

/* Scales data that a model is evaluated on: nodes in the model do their own part, the metadata's factor serves bytes.
 */
int scale_for_evaluation(tonnx_dataset *data, const data_args *args, const tonnx_model *model, const tonnx_log *log);

/* Scales training and validation data alike; standard and minmax go into the model, from the training part alone. */
int scale_for_training(data_sets *sets, const data_args *args, tonnx_model *model, const tonnx_log *log);

/* What the metadata's tonnx.scale is to say: "standard", "minmax" or a factor; false where nothing needs saying. */
bool scale_text(const data_sets *sets, const data_args *args, const tonnx_model *model, char *text, size_t size);

#endif
