/* In place of gnulib's getopt: musl's, as in Alpine's argp-standalone. */
#ifndef MPROF_TESTS_ARGP_GETOPT_INT_H
#define MPROF_TESTS_ARGP_GETOPT_INT_H

#include <getopt.h>
#include <unistd.h>

struct _getopt_data {
    int optind;
    int opterr;
    int optopt;
    char *optarg;
};

#define _GETOPT_DATA_INITIALIZER                                                                   \
    {                                                                                              \
        .optind = 1, .opterr = 1                                                                   \
    }

typedef int mprof__getopt(int, char *const *, const char *, const struct option *, int *);

static inline int _getopt_by(mprof__getopt *parse, int argc, char **argv, const char *letters,
                             const struct option *words, int *index, struct _getopt_data *data)
{
    optind = data->optind;
    opterr = data->opterr;
    optopt = data->optopt;
    int option = parse(argc, argv, letters, words, index);
    data->optind = optind;
    data->optopt = optopt;
    data->optarg = optarg;
    return option;
}

#define _getopt_long_r(...) _getopt_by(getopt_long, __VA_ARGS__)
#define _getopt_long_only_r(...) _getopt_by(getopt_long_only, __VA_ARGS__)

#endif
