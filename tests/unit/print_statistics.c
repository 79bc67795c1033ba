/* A tool for tests/oracle: reads samples from standard input and prints statistics of them, to
 * compare with another implementation.
 *
 *   u 1 2 3 / 4 5 6      U of the first sample, p, 1 if exact
 *   line 1 2 3 / 4 5 6   slope and offset of Theil and Sen's line through (x, y)
 *   order 1 2 3          lowest, quartiles, highest, median
 */
#include "parse/check/statistics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MOST 20000

/* Reads numbers up to a slash or the end. */
static size_t read_values(double *values, char **text)
{
    size_t count = 0;
    for (char *end; count < VALUES_MOST; *text = end) {
        values[count] = strtod(*text, &end);
        if (end == *text) {
            break;
        }
        count++;
    }
    char *slash = strchr(*text, '/');
    *text = slash ? slash + 1 : *text + strlen(*text);
    return count;
}

static int print_u_test(char *text)
{
    static double first[VALUES_MOST], second[VALUES_MOST];
    mprof__u_test test;
    size_t first_count = read_values(first, &text), second_count = read_values(second, &text);
    int failed = mprof__u_test_make(&test, first, first_count, second, second_count);
    printf("%.17g %.17g %d\n", test.u, test.p_value, test.is_exact);
    return failed;
}

static int print_line(char *text)
{
    static double x[VALUES_MOST], y[VALUES_MOST];
    mprof__robust_line line;
    size_t count = read_values(x, &text);
    read_values(y, &text);
    int failed = mprof__theil_sen(&line, x, y, count);
    printf("%.17g %.17g\n", line.slope, line.offset);
    return failed;
}

static int print_order(char *text)
{
    static double values[VALUES_MOST], others[VALUES_MOST];
    size_t count = read_values(values, &text);
    memcpy(others, values, count * sizeof *values);
    mprof__quartiles found = mprof__quartiles_of(values, count);
    printf("%.17g %.17g %.17g %.17g %.17g %.17g\n", found.lowest, found.first, found.median,
           found.third, found.highest, mprof__median(others, count));
    return 0;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    int failed = 0;
    while (getline(&line, &size, stdin) > 0 && !failed) {
        failed = strncmp(line, "u ", 2) == 0       ? print_u_test(line + 2)
                 : strncmp(line, "line ", 5) == 0  ? print_line(line + 5)
                 : strncmp(line, "order ", 6) == 0 ? print_order(line + 6)
                                                   : -1;
    }
    free(line);
    return failed != 0;
}
