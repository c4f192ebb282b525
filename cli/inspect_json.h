/* inspect --json: schema 1 of the command line's contract. */
#ifndef TONNX_CLI_INSPECT_JSON_H
#define TONNX_CLI_INSPECT_JSON_H

#include "cli/inspection.h"

/* Prints the object. An exit code. */
int inspect_json(const inspection *in);

/* Floating-point operations of a layer's matrix product for one sample, 2·in·out; 0 for what has none. */
double inspect_flops(const tonnx_layer_info *layer);

#endif
