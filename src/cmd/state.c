#include "cmd/state.h"

#include <inttypes.h>

#include "cmd/step.h"
#include "input/source.h"

enum { STATE_VERSION = 2 };
static const char magic[4] = "DMST";

static int check_head(struct cursor *from, struct fault *why)
{
    const uint8_t *found = cursor_take(from, sizeof magic);
    if (found == NULL || memcmp(found, magic, sizeof magic) != 0)
        return fault_set(why, E_CORRUPT, "open state: bad magic");
    uint32_t version = cursor_le32(from);
    if (version > STATE_VERSION)
        return fault_set(why, E_VERSION, "open state: version %" PRIu32 " is unknown; made by a newer dnsmon?", version);
    if (version < STATE_VERSION)
        return fault_set(why, E_VERSION, "open state: version %" PRIu32 " is of an older dnsmon, and cannot be gone on "
                         "from; the database can be read, new data need a new one", version);
    return E_OK;
}

static int parse(const struct buffer *state, struct observer *observer, struct transport *transport,
                 struct fault *why)
{
    struct cursor from = cursor_over(state->ptr, state->len);
    int err = check_head(&from, why);
    if (err == E_OK)
        err = observer_load(observer, &from, why);
    if (err == E_OK)
        err = transport_load(transport, &from, why);
    if (err == E_OK && (from.failed || cursor_left(&from) > 0))
        err = fault_set(why, E_CORRUPT, "open state: wrong length");
    return err;
}

static int load_file(struct store *store, struct observer *observer, struct transport *transport, struct fault *why)
{
    struct buffer state;
    buffer_init(&state, STATE_LIMIT);
    int err = store_state(store, &state, why);
    if (err == E_OK && state.len > 0)
        err = parse(&state, observer, transport, why);
    buffer_release(&state);
    return err;
}

struct restoring {
    struct observer *observer;
    enum record_kind_id kind;
};

static int restore_entry(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    const struct restoring *r = ctx;
    int err = observer_restore(r->observer, r->kind, key, value);
    return err ? fault_set(why, err, "unfinished slot: %s", fault_text(err)) : E_OK;
}

/* Unfinished slots' records go back into memory, so that limits see whole slots. */
static int load_slots(struct store *store, struct observer *observer, struct fault *why)
{
    static const enum record_kind_id kinds[] = { KIND_RR, KIND_HOST, KIND_DOMAIN }; /* others follow from these */
    int err = E_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && err == E_OK; i++) {
        struct restoring r = { observer, kinds[i] };
        struct store_range range = { .kind = (uint8_t)kinds[i], .open_only = true };
        err = store_scan_each(store, &range, restore_entry, &r, why);
    }
    return err;
}

int state_load(struct store *store, struct observer *observer, struct transport *transport, struct fault *why)
{
    int err = load_file(store, observer, transport, why);
    if (err == E_OK)
        err = load_slots(store, observer, why);
    return err;
}

void state_save(const struct observer *observer, const struct step *step, struct buffer *to)
{
    buffer_append(to, magic, sizeof magic);
    buffer_le32(to, STATE_VERSION);
    observer_save(observer, &step->round, to);
    buffer_append(to, step->packets.ptr, step->packets.len);
}
