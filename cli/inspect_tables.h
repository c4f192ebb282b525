/* The tables of inspect for people. */
#ifndef TONNX_CLI_INSPECT_TABLES_H
#define TONNX_CLI_INSPECT_TABLES_H

#include "cli/inspection.h"

/* On stdout: layers and parameters; the schemes that weights were drawn by; on data, signal and gradients. */
void inspect_tables(const inspection *in);

#endif
