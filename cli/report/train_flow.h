/* What went on inside the net during a run: numbers of its weights and layers, step after step. */
#ifndef TONNX_CLI_REPORT_TRAIN_FLOW_H
#define TONNX_CLI_REPORT_TRAIN_FLOW_H

#include "cli/report/page.h"
#include "runtime/train.h"

/* A number of one layer or weight, a value per row of the flow. */
typedef struct flow_track {
    char *name;
    double *values;
} flow_track;

typedef enum flow_kind { FLOW_UPDATE, FLOW_GRADIENT, FLOW_SPREAD, FLOW_SATURATED, FLOW_DEAD, FLOW_KINDS } flow_kind;

typedef struct train_flow {
    double *steps;
    size_t rows, room;
    struct {
        flow_track *tracks;
        size_t count;
    } kinds[FLOW_KINDS];
} train_flow;

void train_flow_hear(train_flow *flow, const tonnx_event *event); /* of the kind TONNX_EVENT_STATS */
void train_flow_draw(report_page *page, const train_flow *flow);  /* a section; nothing where nothing was heard */
void train_flow_clear(train_flow *flow);

#endif
