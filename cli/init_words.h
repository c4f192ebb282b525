/* Words for initialisation schemes and activations, shared by new and init. */
#ifndef TONNX_CLI_INIT_WORDS_H
#define TONNX_CLI_INIT_WORDS_H

#include "cli/opt.h"

extern const opt_words scheme_words, activation_words, output_act_words;

#endif
