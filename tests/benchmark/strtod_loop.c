/* Reads a recording in the plain way of C, getline(3) and strtod(3), and prints the peak. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t capacity = 0;
    double peak = 0;
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!file) {
        perror("bench-strtod-loop");
        return 1;
    }
    while (getline(&line, &capacity, file) > 0) {
        if (strncmp(line, "MEM ", 4) == 0) {
            char *end;
            double mib = strtod(line + 4, &end);
            double time_s = strtod(end, NULL);
            if (mib > peak && time_s > 0) {
                peak = mib;
            }
        }
    }
    printf("%s\t%.3f MiB\n", argv[1], peak);
    free(line);
    fclose(file);
    return 0;
}
