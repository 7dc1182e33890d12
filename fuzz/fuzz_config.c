/* A configuration file. Property: what loads is within its bounds, and loads twice over. */
#include "cmd/config.h"
#include "dns/name.h"
#include "must.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings s;
    struct fault why = {0};
    const char *path = scratch_file("dnsmon.yaml", data, size);
    must(settings_init(&s, &why) == 0);
    int r = settings_load(&s, path, &why);
    must(r == 0 || why.text[0] != '\0');
    if (r == 0) {
        must(s.db != NULL && s.threads >= 1 && s.threads <= 1024 &&
             s.n_ports <= SETTINGS_PORTS_MAX);
        for (unsigned i = 0; i < s.n_inputs; i++)
            must(s.inputs[i].where != NULL);
        for (unsigned i = 0; i < s.n_exclude_zones; i++) {
            uint8_t wire[NAME_WIRE_MAX];
            must(name_from_text(s.exclude_zones[i], strlen(s.exclude_zones[i]), wire) != 0);
        }
        must(settings_load(&s, path, &why) == 0);
    }
    settings_release(&s);
    return 0;
}
