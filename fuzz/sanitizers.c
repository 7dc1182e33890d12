/* How ASan runs beneath a fuzz target, which allocates megabytes, touches little of them and frees them
 * thousands of times a second. Mapping their shadow anew took most of the time; a long quarantine
 * takes the rest, and one of a few runs finds a use after free as well. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "clear_shadow_mmap_threshold=16777216:quarantine_size_mb=16";
}
