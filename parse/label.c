/* Labels functions: as many parts of a dotted name, from the right, as make it unique. Names are
 * sorted from the right, so only neighbours need comparing. */
#include "profile_parts.h"

#include "array.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A name being sorted, with the eight bytes under comparison as one number. */
typedef struct tail {
    uint64_t key;
    uint32_t function;
    uint32_t reserved;
} tail;

/* The tails [start, start + count) agree in their last `depth` bytes. */
typedef struct group {
    size_t start, count, depth;
} group;

typedef struct sorter {
    const char *const *names;
    const size_t *lengths;
    tail *tails;
    group *groups; /* those still to be sorted */
    size_t group_count, group_capacity;
} sorter;

/* Bytes depth .. depth + 8 from the right. The end of a name sorts first, then the dot, so that
 * names ending in the same parts are neighbours. */
static uint64_t tail_key(const char *name, size_t length, size_t depth)
{
    uint64_t key = 0;
    for (size_t i = depth; i < depth + 8; i++) {
        unsigned char byte = i < length ? (unsigned char)name[length - 1 - i] : 0;
        byte = byte == '.' ? 1 : byte == 1 ? '.' : byte;
        key = key << 8 | byte;
    }
    return key;
}

static int compare_tails(const void *a, const void *b)
{
    const tail *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

static int push_group(sorter *s, size_t start, size_t count, size_t depth)
{
    group *groups =
        mprof__array_grow(s->groups, s->group_count, &s->group_capacity, sizeof *groups);
    if (!groups) {
        return -1;
    }
    s->groups = groups;
    groups[s->group_count++] = (group){start, count, depth};
    return 0;
}

/* True where the names share a long ending: no need to sort. */
static bool are_equal(const tail *tails, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (tails[i].key != tails[0].key) {
            return false;
        }
    }
    return true;
}

static int sort_group(sorter *s, group g)
{
    tail *tails = s->tails + g.start;
    for (size_t i = 0; i < g.count; i++) {
        uint32_t function = tails[i].function;
        tails[i].key = tail_key(s->names[function], s->lengths[function], g.depth);
    }
    if (!are_equal(tails, g.count)) {
        qsort(tails, g.count, sizeof *tails, compare_tails);
    }
    for (size_t start = 0; start < g.count;) {
        size_t end = start + 1;
        while (end < g.count && tails[end].key == tails[start].key) {
            end++;
        }
        /* a key that ends in 0 reached the start of the name: these names are equal */
        if (end - start > 1 && (tails[start].key & 0xff) != 0 &&
            push_group(s, g.start + start, end - start, g.depth + 8) != 0) {
            return -1;
        }
        start = end;
    }
    return 0;
}

/* One more than the length of the parts that both names end in, with the dots between them; 0 if
 * they share none. (A part may be empty.) */
static size_t common_tail(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t least = a_length < b_length ? a_length : b_length;
    size_t common = 0;
    for (size_t i = 0; i < least; i++) {
        if (a[a_length - 1 - i] != b[b_length - 1 - i]) {
            return common;
        }
        if (a[a_length - 1 - i] == '.') {
            common = i + 1;
        }
    }
    /* the shorter name is exhausted; its first part is shared if the other has a dot there or the
     * same length */
    bool a_ends = a_length == least || a[a_length - 1 - least] == '.';
    bool b_ends = b_length == least || b[b_length - 1 - least] == '.';
    return a_ends && b_ends ? least + 1 : common;
}

/* The label has one part more than a neighbour shares. */
static const char *label_of(const char *name, size_t length, size_t common)
{
    size_t at = common < length ? length - common : 0;
    while (at > 0 && name[at - 1] != '.') {
        at--;
    }
    return name + at;
}

static void set_labels(const char **labels, const char *const *names, const size_t *lengths,
                       const tail *tails, size_t count)
{
    size_t before = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = tails[i].function;
        size_t after = 0;
        if (i + 1 < count) {
            uint32_t next = tails[i + 1].function;
            after = common_tail(names[at], lengths[at], names[next], lengths[next]);
        }
        labels[at] = label_of(names[at], lengths[at], before > after ? before : after);
        before = after;
    }
}

int mprof__label_names(const char **labels, const char *const *names, size_t count)
{
    size_t *lengths = malloc((count + 1) * sizeof *lengths);
    sorter s = {names, lengths, malloc((count + 1) * sizeof *s.tails), NULL, 0, 0};
    int status = lengths && s.tails ? 0 : -1;
    for (size_t i = 0; i < count && status == 0; i++) {
        lengths[i] = strlen(names[i]);
        s.tails[i] = (tail){0, (uint32_t)i, 0};
    }
    if (status == 0 && count > 1) {
        status = push_group(&s, 0, count, 0);
    }
    while (status == 0 && s.group_count > 0) {
        status = sort_group(&s, s.groups[--s.group_count]);
    }
    if (status == 0) {
        set_labels(labels, names, lengths, s.tails, count);
    }
    free(lengths);
    free(s.tails);
    free(s.groups);
    return status;
}

mprof_status mprof__profile_label(mprof_profile *profile, mprof_error *error)
{
    size_t count = profile->function_count;
    const char **names = calloc(2 * count + 1, sizeof *names);
    if (!names) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = profile->functions[i].name;
    }
    int status = mprof__label_names(names + count, names, count);
    for (size_t i = 0; i < count && status == 0; i++) {
        profile->functions[i].label = names[count + i];
    }
    free(names);
    return status == 0 ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}
