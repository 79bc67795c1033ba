/* Exact where samples are few: a p-value of four runs a side is no matter of approximations. */
#include "statistics.h"

#include "parse/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

void mprof__sort_values(double *values, size_t count)
{
    if (count > 1) {
        qsort(values, count, sizeof *values, mprof__compare_doubles);
    }
}

double mprof__quantile(const double *sorted, size_t count, double share)
{
    if (count == 0) {
        return NAN;
    }
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count) {
        return sorted[count - 1];
    }
    double part = place - (double)below;
    return sorted[below] + (sorted[below + 1] - sorted[below]) * part;
}

mprof__quartiles mprof__quartiles_of(double *values, size_t count)
{
    mprof__sort_values(values, count);
    return (mprof__quartiles){
        mprof__quantile(values, count, 0),   mprof__quantile(values, count, 0.25),
        mprof__quantile(values, count, 0.5), mprof__quantile(values, count, 0.75),
        mprof__quantile(values, count, 1),
    };
}

static void swap(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

/* Hoare's selection: moves the value of rank k to values[k], lower ones before it. */
static double select_value(double *values, size_t count, size_t k)
{
    ptrdiff_t low = 0, high = (ptrdiff_t)count - 1, rank = (ptrdiff_t)k;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) {
                i++;
            }
            while (values[j] > pivot) {
                j--;
            }
            if (i <= j) {
                swap(&values[i++], &values[j--]);
            }
        }
        if (rank <= j) {
            high = j;
        } else if (rank >= i) {
            low = i;
        } else {
            break;
        }
    }
    return values[k];
}

double mprof__median(double *values, size_t count)
{
    if (count == 0) {
        return NAN;
    }
    double upper = select_value(values, count, count / 2);
    if (count % 2) {
        return upper;
    }
    double lower = values[0];
    for (size_t i = 1; i < count / 2; i++) {
        lower = values[i] > lower ? values[i] : lower;
    }
    return lower + (upper - lower) / 2;
}

/* ---- U test ---- */

#define EXACT_MOST 8 /* values in the smaller sample */

typedef struct ranked {
    double value;
    bool is_first; /* of the first sample */
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    return mprof__compare_doubles(&((const ranked *)a)->value, &((const ranked *)b)->value);
}

/* The sum of the ranks of the first sample; values that are equal share their mean rank. *ties: the
 * sum of t^3 - t over groups of t equal values. */
static double sum_ranks(const ranked *all, size_t count, double *ties)
{
    double sum = 0;
    *ties = 0;
    for (size_t begin = 0, end; begin < count; begin = end) {
        size_t of_first = 0;
        for (end = begin; end < count && all[end].value == all[begin].value; end++) {
            of_first += all[end].is_first;
        }
        double equal = (double)(end - begin);
        sum += (double)of_first * ((double)begin + (equal + 1) / 2);
        *ties += equal * equal * equal - equal;
    }
    return sum;
}

/* The probability that U is `u` or more where all orders are equally likely. ways[i * (most + 1) +
 * v]: orders of i values of the smaller sample and j of the larger one with U = v; adding the j-th
 * counts those where it is above all, and those where it is not. -1 without memory. */
static double exact_tail(size_t small, size_t large, double u)
{
    size_t most = small * large, size = most + 1;
    double *ways = calloc((small + 1) * size, sizeof *ways);
    double all = 0, tail = 0;
    if (!ways) {
        return -1;
    }
    for (size_t i = 0; i <= small; i++) {
        ways[i * size] = 1;
    }
    for (size_t j = 1; j <= large; j++) {
        for (size_t i = 1; i <= small; i++) {
            double *row = ways + i * size;
            const double *fewer = row - size;
            for (size_t v = i * j; v >= j; v--) {
                row[v] += fewer[v - j];
            }
        }
    }
    for (size_t v = 0; v <= most; v++) {
        double count = ways[small * size + v];
        all += count;
        tail += (double)v >= u ? count : 0;
    }
    free(ways);
    return tail / all;
}

static double normal_tail(double first, double second, double ties, double u)
{
    double n = first + second;
    double deviation = sqrt(first * second / 12 * (n + 1 - ties / (n * (n - 1))));
    return deviation > 0 ? erfc((u - first * second / 2 - 0.5) / deviation / sqrt(2)) / 2 : 1;
}

int mprof__u_test_make(mprof__u_test *test, const double *first, size_t first_count,
                       const double *second, size_t second_count)
{
    double ties, m = (double)first_count, n = (double)second_count;
    *test = (mprof__u_test){NAN, NAN, false};
    if (first_count == 0 || second_count == 0) {
        return 0;
    }
    ranked *all = malloc((first_count + second_count) * sizeof *all);
    if (!all) {
        return -1;
    }
    for (size_t i = 0; i < first_count; i++) {
        all[i] = (ranked){first[i], true};
    }
    for (size_t i = 0; i < second_count; i++) {
        all[first_count + i] = (ranked){second[i], false};
    }
    qsort(all, first_count + second_count, sizeof *all, compare_ranked);
    test->u = sum_ranks(all, first_count + second_count, &ties) - m * (m + 1) / 2;
    free(all);
    double larger_u = fmax(test->u, m * n - test->u);
    size_t small = first_count < second_count ? first_count : second_count;
    size_t large = first_count < second_count ? second_count : first_count;
    test->is_exact = ties == 0 && small <= EXACT_MOST;
    double tail =
        test->is_exact ? exact_tail(small, large, larger_u) : normal_tail(m, n, ties, larger_u);
    test->p_value = fmin(2 * tail, 1);
    return tail < 0 ? -1 : 0;
}

/* ---- lines ---- */

int mprof__theil_sen(mprof__robust_line *line, const double *x, const double *y, size_t count)
{
    *line = (mprof__robust_line){NAN, NAN};
    if (count < 2) {
        return 0;
    }
    size_t most = count * (count - 1) / 2, pairs = 0;
    double *values = malloc((most > count ? most : count) * sizeof *values);
    if (!values) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            if (x[i] != x[j]) {
                values[pairs++] = (y[j] - y[i]) / (x[j] - x[i]);
            }
        }
    }
    line->slope = mprof__median(values, pairs);
    memcpy(values, x, count * sizeof *values);
    double middle = mprof__median(values, count);
    memcpy(values, y, count * sizeof *values);
    line->offset = mprof__median(values, count) - line->slope * middle;
    free(values);
    return 0;
}

size_t mprof__window_minima(mprof_sample *minima, size_t windows, const mprof_sample *samples,
                            size_t count, double from_s, double to_s)
{
    size_t found = 0, latest = SIZE_MAX;
    double width_s = (to_s - from_s) / (double)windows;
    for (size_t i = 0; i < count; i++) {
        double time_s = samples[i].time_s;
        if (time_s < from_s || time_s > to_s) {
            continue;
        }
        size_t window = width_s > 0 ? (size_t)((time_s - from_s) / width_s) : 0;
        window = window < windows ? window : windows - 1;
        if (window != latest) {
            latest = window;
            minima[found++] = samples[i];
        } else if (samples[i].mib < minima[found - 1].mib) {
            minima[found - 1] = samples[i];
        }
    }
    return found;
}

/* ---- resampling ---- */

#define ROUNDS 600
#define SEED UINT64_C(0x9E3779B97F4A7C15)

/* xorshift64*: quality enough to choose blocks, and the same everywhere. */
static size_t random_below(uint64_t *state, size_t limit)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (size_t)((*state * UINT64_C(0x2545F4914F6CDD1D) >> 33) % limit);
}

/* The residuals of the line, scaled for the two parameters that were fitted to them. */
static void find_residuals(double *residuals, const double *x, const double *y, size_t count,
                           const mprof__robust_line *line)
{
    double scale = count > 2 ? sqrt((double)count / (double)(count - 2)) : 1;
    for (size_t i = 0; i < count; i++) {
        residuals[i] = (y[i] - line->offset - line->slope * x[i]) * scale;
    }
}

/* A series with the same line, and residuals of blocks that begin anywhere; the last residual is
 * followed by the first. */
static void resample(double *drawn, const double *residuals, const double *x, size_t count,
                     const mprof__robust_line *line, uint64_t *state)
{
    size_t block = (size_t)ceil(cbrt((double)count));
    for (size_t i = 0, at = 0; i < count; i++, at++) {
        if (i % block == 0) {
            at = random_below(state, count);
        }
        drawn[i] = line->offset + line->slope * x[i] + residuals[at % count];
    }
}

/* The normal quantile, by bisection. */
static double normal_quantile(double share)
{
    double low = -10, high = 10;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (erfc(-middle / sqrt(2)) / 2 < share) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How much wider an interval of Student's t is than a normal one (Cornish and Fisher's expansion):
 * a bootstrap of few values does not know that its spread is an estimate. */
static double widening(size_t count, double confidence)
{
    double z = normal_quantile((1 + confidence) / 2), freedom = (double)count - 2;
    double z3 = z * z * z, z5 = z3 * z * z;
    double t = z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom);
    return t / z;
}

int mprof__bootstrap_slope(mprof__interval *interval, const double *x, const double *y,
                           size_t count, const mprof__robust_line *line, double confidence)
{
    uint64_t state = SEED;
    double slopes[ROUNDS];
    *interval = (mprof__interval){NAN, NAN};
    if (count < 3 || !isfinite(line->slope)) {
        return 0;
    }
    double *residuals = malloc(2 * count * sizeof *residuals);
    if (!residuals) {
        return -1;
    }
    find_residuals(residuals, x, y, count, line);
    for (size_t round = 0; round < ROUNDS; round++) {
        mprof__robust_line drawn;
        resample(residuals + count, residuals, x, count, line, &state);
        if (mprof__theil_sen(&drawn, x, residuals + count, count) != 0) {
            free(residuals);
            return -1;
        }
        slopes[round] = drawn.slope;
    }
    free(residuals);
    mprof__sort_values(slopes, ROUNDS);
    double wider = widening(count, confidence);
    double low = mprof__quantile(slopes, ROUNDS, (1 - confidence) / 2);
    double high = mprof__quantile(slopes, ROUNDS, (1 + confidence) / 2);
    interval->low = line->slope + (low - line->slope) * wider;
    interval->high = line->slope + (high - line->slope) * wider;
    return 0;
}
