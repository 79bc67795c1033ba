/* fmin, fmax, floor and sqrt without libm, since recording needs libc only; of two values NAN gives
 * way to a number. */
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

/* Numbers from 2^53 on are whole. */
static inline double mprof__whole(double value)
{
    if (!(value > -0x1p53 && value < 0x1p53)) {
        return value;
    }
    double rounded = (double)(long long)value;
    return rounded > value ? rounded - 1 : rounded;
}

/* By Newton's method. */
static inline double mprof__square_root(double x)
{
    double root = x > 1 ? x : 1;
    for (int i = 0; i < 200 && root * root - x > root * root * 1e-15; i++) {
        root = (root + x / root) / 2;
    }
    return x > 0 ? root : 0;
}

#endif
