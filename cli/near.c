/* The nearest word, for typos. */
#include <stdio.h>
#include <string.h>

#include "cli/opt.h"

enum { WORD_MAX = 40 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap neighbours) from a to b: Damerau's distance in its restricted form. */
static size_t distance(const char *a, const char *b)
{
    const size_t m = strlen(a), n = strlen(b);
    size_t rows[3][WORD_MAX + 1]; /* the last three rows of the table */
    if (m > WORD_MAX || n > WORD_MAX) return WORD_MAX;
    for (size_t j = 0; j <= n; j++) rows[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            now[j] = least(least(now[j - 1], last[j]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[m % 3][n];
}

const char *opt_nearest(const char *word, const char *(*at)(const void *list, size_t i), const void *list)
{
    const size_t length = strlen(word);
    const char *best = NULL, *candidate;
    size_t best_distance = least(length / 3 + 1, 3) + 1; /* farther than this is another word, not a typo */
    for (size_t i = 0; (candidate = at(list, i)); i++) {
        /* a beginning counts as near: "cross" for cross-entropy */
        const size_t edits = length >= 3 && !strncmp(word, candidate, length) ? 1 : distance(word, candidate);
        if (edits < best_distance) {
            best_distance = edits;
            best = candidate;
        }
    }
    return best;
}

const char *opt_words_text(const opt_words *words, char *text, size_t size)
{
    size_t used = 0;
    const char *word;
    text[0] = '\0';
    for (size_t i = 0; (word = words->at(i)) && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "|" : "", word);
    return text;
}
