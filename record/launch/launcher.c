/* Of several variables the innermost launcher's counts: mpirun inside a Slurm job inherits the rank
 * of the batch script, which is 0 for all. */
#include "launcher.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct variable {
    const char *name;
    const char *also; /* must be set, too: the name alone may mean something else */
} variable;

static const variable ranks[] = {
    {"OMPI_COMM_WORLD_RANK", NULL}, /* Open MPI */
    {"PMIX_RANK", NULL},            /* PRRTE, Slurm's PMIx */
    {"PMI_RANK", NULL},             /* MPICH, Intel MPI */
    {"MV2_COMM_WORLD_RANK", NULL},  /* MVAPICH2 */
    {"PALS_RANKID", NULL},          /* HPE Cray */
    {"ALPS_APP_PE", NULL},          /* Cray, older */
    {"JSM_NAMESPACE_RANK", NULL},   /* IBM */
    {"FLUX_TASK_RANK", NULL},       /* Flux */
    {"SLURM_PROCID", NULL},         /* srun */
    {"RANK", "WORLD_SIZE"},         /* torchrun */
    {"JOB_COMPLETION_INDEX", NULL}, /* indexed jobs of Kubernetes */
    {"SLURM_ARRAY_TASK_ID", NULL},  /* arrays of jobs */
    {"PBS_ARRAY_INDEX", NULL},
    {"LSB_JOBINDEX", "LSB_JOBID"},
    {"SGE_TASK_ID", "JOB_ID"},
};

static const variable jobs[] = {
    {"SLURM_JOB_ID", NULL}, {"PBS_JOBID", NULL},  {"LSB_JOBID", NULL},    {"FLUX_JOB_ID", NULL},
    {"COBALT_JOBID", NULL}, {"OAR_JOB_ID", NULL}, {"JOB_ID", "SGE_ROOT"}, {"PMIX_NAMESPACE", NULL},
};

static const variable pods[] = {
    {"POD_NAME", NULL},
    {"HOSTNAME", "KUBERNETES_SERVICE_HOST"},
};

static const char *find(const variable *variables, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv(variables[i].name);
        const char *also = variables[i].also ? getenv(variables[i].also) : "x";
        if (value && *value && also && *also) {
            return value;
        }
    }
    return NULL;
}

const char *mprof__launcher_rank(void)
{
    return find(ranks, sizeof ranks / sizeof *ranks);
}

const char *mprof__launcher_job(void)
{
    return find(jobs, sizeof jobs / sizeof *jobs);
}

const char *mprof__launcher_pod(void)
{
    return find(pods, sizeof pods / sizeof *pods);
}

/* ---- names of files ---- */

static void put_host(FILE *out, const char *known)
{
    char host[HOST_NAME_MAX + 1] = "";
    if (!known && gethostname(host, sizeof host - 1) == 0) {
        known = host;
    }
    fputs(known && *known ? known : "unknown", out);
}

static void put_time(FILE *out)
{
    char text[32] = "";
    struct tm parts;
    time_t now = time(NULL);
    if (localtime_r(&now, &parts)) {
        strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts);
    }
    fputs(text, out);
}

/* False: there is no such letter. */
static bool put_value(FILE *out, char letter)
{
    const char *known;
    switch (letter) {
    case 'h':
        put_host(out, NULL);
        return true;
    case 'n':
        put_host(out, mprof__launcher_pod());
        return true;
    case 'r':
        known = mprof__launcher_rank();
        if (known) {
            fputs(known, out);
        } else {
            fprintf(out, "p%d", (int)getpid());
        }
        return true;
    case 'j':
        known = mprof__launcher_job();
        fputs(known ? known : "local", out);
        return true;
    case 'p':
        fprintf(out, "%d", (int)getpid());
        return true;
    case 't':
        put_time(out);
        return true;
    default:
        return false;
    }
}

/* A value is one part of a name. */
static void put_safely(FILE *out, char letter)
{
    char *value = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&value, &size);
    if (!text) {
        return;
    }
    put_value(text, letter);
    if (fclose(text) == 0) {
        for (const char *at = value; *at; at++) {
            bool is_safe = (unsigned char)*at > ' ' && *at != '/' && *at != 0x7f;
            fputc(is_safe ? *at : '_', out);
        }
    }
    free(value);
}

static mprof_status check_letters(const char *pattern, mprof_error *error)
{
    for (const char *at = strchr(pattern, '%'); at; at = strchr(at + 2, '%')) {
        if (at[1] == '\0') {
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "--output: '%%' at the end of '%.100s' needs a letter: h, r, j, "
                                   "p, n, t, or %%%% for itself",
                                   pattern);
        }
        if (!strchr("hrjpnt%", at[1])) {
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "--output: '%%%c' is unknown; known are %%h host, %%r rank, %%j "
                                   "job, %%p pid, %%n pod, %%t time, and %%%% for itself",
                                   at[1]);
        }
    }
    return MPROF_OK;
}

mprof_status mprof__launcher_expand(char **path, int *is_pattern, const char *pattern,
                                    mprof_error *error)
{
    size_t size = 0;
    *path = NULL;
    *is_pattern = 0;
    mprof_status status = check_letters(pattern, error);
    if (status != MPROF_OK) {
        return status;
    }
    FILE *out = open_memstream(path, &size);
    for (const char *at = pattern; out && *at; at++) {
        if (*at != '%') {
            fputc(*at, out);
        } else if (*++at == '%') {
            fputc('%', out);
        } else {
            put_safely(out, *at);
            *is_pattern = 1;
        }
    }
    if (!out || fclose(out) != 0 || !*path) {
        free(*path);
        *path = NULL;
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    return MPROF_OK;
}
