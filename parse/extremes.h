/* The smaller and the larger of two numbers, without libm: recording needs libc alone. What is not
 * a number gives way to what is. Private to this folder. */
#ifndef MPROF_PARSE_EXTREMES_H
#define MPROF_PARSE_EXTREMES_H

static inline double mprof__smaller(double a, double b)
{
    return a < b || b != b ? a : b;
}

static inline double mprof__larger(double a, double b)
{
    return a > b || b != b ? a : b;
}

#endif
