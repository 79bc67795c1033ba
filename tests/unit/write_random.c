/* Writes a recording of random records, for upstream's reader to read.
 * Usage: write-random SEED COUNT FILE */
#include "random_records.h"

#include <fcntl.h>
#include <mprof/writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    random_source random;
    mprof_writer *writer;
    if (argc != 4) {
        return 2;
    }
    int fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    random_init(&random, strtoull(argv[1], NULL, 10));
    if (fd < 0 || mprof_writer_open(&writer, fd, argv[3], NULL) != MPROF_OK) {
        perror(argv[3]);
        return 1;
    }
    /* one command line per file, at its beginning */
    mprof_record record;
    do {
        record = random_record(&random);
    } while (record.kind != MPROF_RECORD_CMDLINE);
    mprof_writer_append(writer, &record);
    for (unsigned long i = strtoul(argv[2], NULL, 10); i > 0; i--) {
        record = random_record(&random);
        if (record.kind != MPROF_RECORD_CMDLINE) {
            mprof_writer_append(writer, &record);
        }
    }
    mprof_status status = mprof_writer_commit(writer, NULL);
    mprof_writer_free(writer);
    random_free(&random);
    close(fd);
    return status == MPROF_OK ? 0 : 1;
}
