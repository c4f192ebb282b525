/* Inline SVG: figures and the few shapes that charts are drawn with. Sizes are in units that are about a pixel wide
 * where the page is narrow; classes of style.c give the colours, so that a picture follows light and dark. */
#ifndef TONNX_CLI_REPORT_SVG_H
#define TONNX_CLI_REPORT_SVG_H

#include "cli/report/page.h"

enum { SVG_WIDTH = 400, SVG_SERIES = 6 }; /* of a figure; colours c1 … c6, f1 … f6 */

/* A figure with its heading, a line on how to read it (NULL: none); then svg_open … svg_close within. */
void svg_figure(report_page *page, const char *title, const char *caption);
void svg_figure_end(report_page *page);

/* `label` is what a screen reader says instead of the picture. */
void svg_open(report_page *page, double width, double height, const char *class, const char *label);
void svg_close(report_page *page);

void svg_line(report_page *page, const char *class, double x1, double y1, double x2, double y2);
void svg_rect(report_page *page, const char *class, double x, double y, double width, double height);
/* Text at a baseline, cut to what fits in about `width` units (0: not cut); its whole is kept as a tooltip. */
void svg_text(report_page *page, const char *class, double x, double y, double width, const char *text);

/* A path point by point: svg_path, svg_point … (`move` lifts the pen), svg_path_end. */
void svg_path(report_page *page, const char *class);
void svg_point(report_page *page, bool move, double x, double y);
void svg_path_end(report_page *page, bool close);

#endif
