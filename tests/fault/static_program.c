/* Sleeps for the milliseconds of its argument and exits with status 3. */
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    long milliseconds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    while (nanosleep(&left, &left) != 0) {
    }
    return 3;
}
