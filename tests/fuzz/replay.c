/* A target without a fuzzer: runs every file that is named, and every file of a folder that is named, once. The last
 * line says how many. */
#include "tests/fuzz/fuzz.h"

static size_t ran;

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    fuzz_must(file && !fstat(fileno(file), &info), path);
    const size_t size = (size_t)info.st_size;
    uint8_t *bytes = malloc(size ? size : 1); /* just as many, so that a read beyond the end is seen */
    fuzz_must(bytes && fread(bytes, 1, size, file) == size, path);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    ran++;
}

static void run_folder(const char *path, DIR *folder)
{
    char inner[1024];
    for (struct dirent *entry; (entry = readdir(folder));) {
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.') run_file(inner);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder) run_folder(argv[i], folder);
        else run_file(argv[i]);
    }
    printf("%zu inputs\n", ran);
    return 0;
}
