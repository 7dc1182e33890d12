/* A configuration file. Property: what loads is within its bounds, and loads twice over. */
#include "cmd/config.h"
#include "dns/name.h"
#include "must.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void names(const struct settings_exclude *exclude)
{
    for (unsigned i = 0; i < exclude->n_zones; i++) {
        uint8_t wire[NAME_WIRE_MAX];
        must(name_from_text(exclude->zones[i], strlen(exclude->zones[i]), wire) != 0);
    }
}

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
             s.ports.n <= SETTINGS_PORTS_MAX);
        must(s.n_inputs <= SETTINGS_INPUTS_MAX);
        for (unsigned i = 0; i < s.n_inputs; i++) {
            must(s.inputs[i].where != NULL && s.inputs[i].ports.n <= SETTINGS_PORTS_MAX);
            names(&s.inputs[i].exclude);
        }
        names(&s.exclude);
        must(settings_load(&s, path, &why) == 0);
    }
    settings_release(&s);
    return 0;
}
