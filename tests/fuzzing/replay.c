/* Runs a fuzz target on files and on all files of directories: what libFuzzer does when it is given
 * inputs, for compilers without it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static unsigned replayed;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)status.st_size;
    /* exactly as large as the input, so that a sanitizer sees a read beyond it */
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes || fread(bytes, 1, size, file) != size) {
        perror(path);
        return 1;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    replayed++;
    return 0;
}

static int replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    int result = 0;
    if (!directory) {
        perror(path);
        return 1;
    }
    while ((entry = readdir(directory)) && result == 0) {
        char name[4096];
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            result = replay_file(name);
        }
    }
    closedir(directory);
    return result;
}

int main(int argc, char **argv)
{
    int result = 0;
    for (int i = 1; i < argc && result == 0; i++) {
        struct stat status;
        int is_directory = stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode);
        result = is_directory ? replay_directory(argv[i]) : replay_file(argv[i]);
    }
    printf("%u inputs\n", replayed);
    return result || replayed == 0;
}
