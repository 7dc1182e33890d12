/* Memos of names under suspicion. Property: what is read is written and read again as the same text. */
#include "detect/docket.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *read_and_write(const char *text)
{
    struct docket *d = NULL;
    struct docket_name *const *names;
    char *again = NULL;
    must(docket_create(&d, NULL) == 0);
    if (docket_name_load(d, "name.example", text, NULL) == 0) {
        must(docket_names(d, &names) == 1);
        again = docket_name_text(names[0]);
        must(again != NULL);
    }
    docket_destroy(&d);
    return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    must(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    char *once = read_and_write(text), *twice = once == NULL ? NULL : read_and_write(once);
    must(once == NULL || (twice != NULL && strcmp(once, twice) == 0));
    free(text);
    free(once);
    free(twice);
    return 0;
}
