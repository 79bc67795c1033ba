/* Counts missing, added, wrong and exchanged letters (the distance of Damerau and Levenshtein, each
 * pair exchanged once). Up to a third of the letters may be wrong; a name of which only the
 * beginning was typed counts as one wrong letter. */
#include "similar_name.h"

#include <stdbool.h>
#include <string.h>

#define LENGTH_MAX 32

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Both are at most LENGTH_MAX long. */
static size_t count_changes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3]
               [LENGTH_MAX + 1]; /* the row before the previous one, the previous one, this one */
    for (size_t j = 0; j <= b_length; j++) {
        rows[1][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        rows[2][0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            bool same = a[i - 1] == b[j - 1];
            rows[2][j] = smaller(smaller(rows[1][j], rows[2][j - 1]) + 1, rows[1][j - 1] + !same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                rows[2][j] = smaller(rows[2][j], rows[0][j - 2] + 1);
            }
        }
        memcpy(rows[0], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[2], sizeof rows[1]);
    }
    return rows[1][b_length];
}

void mprof__similar_name_init(mprof__similar_name *similar, const char *typed, size_t length)
{
    *similar = (mprof__similar_name){typed, length, NULL, 0};
}

void mprof__similar_name_offer(mprof__similar_name *similar, const char *name)
{
    size_t length = strlen(name), typed_length = similar->typed_length;
    size_t most = (typed_length > length ? typed_length : length) / 3;
    if (length > LENGTH_MAX || typed_length > LENGTH_MAX || typed_length == 0) {
        return;
    }
    bool is_beginning = typed_length > 1 && strncmp(name, similar->typed, typed_length) == 0;
    size_t distance = is_beginning ? 1 : count_changes(similar->typed, typed_length, name, length);
    if (distance <= (most > 1 ? most : 1) && (!similar->nearest || distance < similar->distance)) {
        similar->nearest = name;
        similar->distance = distance;
    }
}
