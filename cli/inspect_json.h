/* inspect --json: schema 1 of the command line's contract. */
#ifndef TONNX_CLI_INSPECT_JSON_H
#define TONNX_CLI_INSPECT_JSON_H

#include "cli/weights.h"
#include "runtime/net.h"

/* Prints the object. An exit code. */
int inspect_json(const tonnx_model *model, const tonnx_net *net);

/* Floating-point operations of a layer's matrix product for one sample, 2·in·out; 0 for what has none. */
double inspect_flops(const tonnx_layer_info *layer);

/* True for an activation layer that is told as part of the dense layer before it. */
bool inspect_is_merged(const tonnx_net *net, size_t i);

#endif
