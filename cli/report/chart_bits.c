/* Samples × units, a bit each: runs of white cells are strokes one row thick, black is the ground. */
#include "cli/report/chart.h"
#include "cli/report/svg.h"

void chart_bits(report_page *page, const chart_map *map)
{
    svg_figure(page, map->title, map->caption);
    page_add(page,
             "<svg class=\"map\" viewBox=\"0 0 %zu %zu\" preserveAspectRatio=\"none\" "
             "shape-rendering=\"crispEdges\" style=\"height:%dpx\" role=\"img\" aria-label=\"",
             map->columns, map->rows, 180);
    page_text(page, map->title);
    page_add(page, "\">\n<path d=\"");
    for (size_t row = 0; row < map->rows; row++) {
        const unsigned char *cells = &map->cells[row * map->columns];
        size_t pen = 0;
        page_add(page, "M0 %zu.5", row);
        for (size_t from = 0, to; from < map->columns; from = to + 1) {
            for (to = from; to < map->columns && cells[to]; to++) continue;
            if (to == from) continue;
            if (from > pen) page_add(page, "m%zu 0", from - pen);
            page_add(page, "h%zu", to - from);
            pen = to;
        }
    }
    page_add(page, "\"/>\n</svg>\n");
    svg_figure_end(page);
}
