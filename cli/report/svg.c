#include "cli/report/svg.h"

#include <stdio.h>
#include <string.h>

void svg_figure(report_page *page, const char *title, const char *caption)
{
    page_add(page, "<figure>\n<h3>");
    page_text(page, title);
    page_add(page, "</h3>\n");
    if (!caption) return;
    page_add(page, "<figcaption>");
    page_text(page, caption);
    page_add(page, "</figcaption>\n");
}

void svg_figure_end(report_page *page)
{
    page_add(page, "</figure>\n");
}

void svg_open(report_page *page, double width, double height, const char *class, const char *label)
{
    page_add(page, "<svg class=\"%s\" viewBox=\"0 0 %.6g %.6g\" role=\"img\" aria-label=\"", class, width, height);
    page_text(page, label);
    page_add(page, "\">\n");
}

void svg_close(report_page *page)
{
    page_add(page, "</svg>\n");
}

void svg_line(report_page *page, const char *class, double x1, double y1, double x2, double y2)
{
    page_add(page, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", class, x1, y1, x2, y2);
}

void svg_rect(report_page *page, const char *class, double x, double y, double width, double height)
{
    page_add(page, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", class, x, y, width,
             height);
}

/* The bytes of `text` that make its first `count` characters. */
static size_t bytes_of(const char *text, size_t count)
{
    const char *c = text;
    while (*c && ((*c & 0xc0) == 0x80 || count--)) c++;
    return (size_t)(c - text);
}

void svg_text(report_page *page, const char *class, double x, double y, double width, const char *text)
{
    enum { ROOM = 256 };
    const size_t fit = width > 0 ? (size_t)(width / 5.9) : ROOM, bytes = bytes_of(text, fit);
    char cut[ROOM + 8];
    page_add(page, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    if (text[bytes] && fit > 1) {
        const size_t shorter = bytes_of(text, fit - 1);
        snprintf(cut, sizeof cut, "%.*s…", (int)(shorter < ROOM ? shorter : ROOM), text);
        page_add(page, "<title>");
        page_text(page, text);
        page_add(page, "</title>");
        text = cut;
    }
    page_text(page, text);
    page_add(page, "</text>\n");
}

void svg_path(report_page *page, const char *class)
{
    page_add(page, "<path class=\"%s\" d=\"", class);
}

void svg_point(report_page *page, bool move, double x, double y)
{
    page_add(page, "%c%.1f %.1f", move ? 'M' : 'L', x, y);
}

void svg_path_end(report_page *page, bool close)
{
    page_add(page, "%s\"/>\n", close ? "Z" : "");
}
