/* The reports: what --html writes. Each returns an exit code; `path` "-" is stdout. */
#ifndef TONNX_CLI_REPORT_REPORT_H
#define TONNX_CLI_REPORT_REPORT_H

#include "runtime/lr_find.h"

/* Every activation with its derivative, the losses, the schedules. */
int report_ops(const char *path);

/* The loss over the rate; `model` is how it was named. */
int report_lr(const tonnx_lr_curve *curve, const char *model, const char *path);

#endif
